"""Interim: the common pure functions."""
from __future__ import annotations
from collections.abc import Sequence
from itertools import product
from typing import Protocol
from blastdoor.span import Span
from blastdoor.value import *  # noqa
from blastdoor.value import Alternative, Encoded, Known, Many, Mapping, OneOf, Reason, Unknown, Value, one_of, within_budget

class Files(Protocol):
    def read(self, path: str) -> str | None: ...
    def names(self, directory: str, pattern: str) -> list[str] | None: ...
    def template(self, path: str, variables: Mapping, span: Span) -> Value: ...

def unk(v, span):
    if isinstance(v, Unknown): return Unknown(v.reason, v.subject, span, v.via, meaning=v.meaning, partition=v.partition)
    return Unknown(Reason.RANGE, "", span)

def txt(v):
    from blastdoor.evaluate.expression import to_text
    return to_text(v)

def call(name: str, arguments: Sequence[Value], span: Span, files: Files) -> Value:
    try:
        opts = [a.alternatives if isinstance(a, OneOf) else (Alternative(a, ""),) for a in arguments]
        n = 1
        for o in opts: n *= len(o)
        if n > 16: return Unknown(Reason.BUDGET, name, span)
        if n > 1 and name not in ("try", "can", "coalesce"):
            return one_of([Alternative(one(name, [x.value for x in c], span, files), " and ".join(x.condition for x in c if x.condition)) for c in product(*opts)], span)
        return one(name, list(arguments), span, files)
    except (IndexError, ValueError, TypeError) as e:
        return Unknown(Reason.INVALID, f"{name}(): {e}", span)

def one(name, a, span, files):
    err = lambda v: isinstance(v, Unknown) and v.reason in (Reason.INVALID, Reason.UNRESOLVED)
    if name == "try":
        for v in a:
            if err(v): continue
            return v
        return Unknown(Reason.INVALID, "try", span)
    if name == "can":
        v = a[0]
        return Known(False, span) if err(v) else (unk(v, span) if isinstance(v, Unknown) else Known(True, span))
    if name == "merge":
        entries, spans, complete = {}, {}, True
        for v in a:
            if isinstance(v, Known) and v.data is None: continue
            if isinstance(v, Mapping):
                entries.update(v.entries); spans.update(v.key_spans); complete &= v.complete
                if not v.complete: pass
            else: complete = False
        return within_budget(Mapping(entries, span, complete=complete, key_spans=spans))
    if name in ("toset", "tolist", "distinct", "sort", "reverse", "compact", "tomap", "tostring", "nonsensitive", "sensitive", "flatten", "values", "keys", "tonumber", "tobool") and isinstance(a[0], Unknown):
        return unk(a[0], span)
    if name in ("toset", "distinct") and isinstance(a[0], Many):
        return Many(tuple({i.key(): i for i in a[0].items}.values()), span, a[0].via, complete=a[0].complete, is_set=name == "toset" or a[0].is_set)
    if name == "sort" and isinstance(a[0], Many): return Many(tuple(sorted(a[0].items, key=lambda i: txt(i) or "")), span, a[0].via, complete=a[0].complete)
    if name == "reverse" and isinstance(a[0], Many): return Many(tuple(reversed(a[0].items)), span, a[0].via, complete=a[0].complete)
    if name == "tolist" and isinstance(a[0], Many): return Many(a[0].items, span, a[0].via, complete=a[0].complete)
    if name == "compact" and isinstance(a[0], Many): return Many(tuple(i for i in a[0].items if not (isinstance(i, Known) and i.data in ("", None))), span, a[0].via, complete=a[0].complete)
    if name in ("tomap", "nonsensitive", "sensitive", "tolist"): return a[0]
    if name == "tostring":
        return a[0] if not isinstance(a[0], Known) or a[0].data is None or isinstance(a[0].data, str) else Known(txt(a[0]), span)
    if name in ("tonumber", "tobool"): return a[0]
    if name == "concat":
        items, complete = [], True
        for v in a:
            if isinstance(v, Many): items += [i.through(*v.via) if v.via else i for i in v.items]; complete &= v.complete
            else: complete = False
        return within_budget(Many(tuple(items), span, complete=complete))
    if name == "flatten":
        out, complete, st = [], True, [iter(a[0].items)]
        complete = a[0].complete
        while st:
            for v in st[-1]:
                if isinstance(v, Many): complete &= v.complete; st.append(iter(v.items)); break
                out.append(v)
            else: st.pop()
        return within_budget(Many(tuple(out), span, a[0].via, complete=complete))
    if name == "length":
        v = a[0]
        if isinstance(v, Many) and v.complete: return Known(len(v.items), span)
        if isinstance(v, Mapping) and v.complete: return Known(len(v.entries), span)
        if isinstance(v, Known) and isinstance(v.data, str): return Known(len(v.data), span)
        return unk(v, span)
    if name == "keys" and isinstance(a[0], Mapping): return Many(tuple(Known(k, a[0].key_spans.get(k)) for k in sorted(a[0].entries)), span, a[0].via, complete=a[0].complete)
    if name == "values" and isinstance(a[0], Mapping): return Many(tuple(v for _, v in sorted(a[0].entries.items())), span, a[0].via, complete=a[0].complete)
    if name == "lookup":
        k = txt(a[1])
        if isinstance(a[0], Mapping) and k is not None:
            if k in a[0].entries: return a[0].entries[k]
            if a[0].complete: return a[2] if len(a) > 2 else Unknown(Reason.INVALID, "lookup", span)
        return unk(a[0] if isinstance(a[0], Unknown) else a[1], span)
    if name == "element" and isinstance(a[0], Many) and a[0].complete and isinstance(a[1], Known):
        return a[0].items[int(a[1].data) % len(a[0].items)]
    if name == "coalesce":
        for v in a:
            if isinstance(v, Known):
                if v.data in (None, ""): continue
                return v
            return v if not isinstance(v, Unknown) else unk(v, span)
        return Unknown(Reason.INVALID, name, span)
    if name == "contains":
        if isinstance(a[0], Many):
            k = a[1].key()
            if isinstance(a[1], Known):
                if any(i.key() == k for i in a[0].items): return Known(True, span)
                if a[0].complete and all(isinstance(i, Known) for i in a[0].items): return Known(False, span)
        return unk(a[0], span)
    if name == "zipmap" and isinstance(a[0], Many) and isinstance(a[1], Many) and a[0].complete and a[1].complete:
        return Mapping({txt(k): v for k, v in zip(a[0].items, a[1].items) if txt(k) is not None}, span)
    if name == "one" and isinstance(a[0], Many) and a[0].complete:
        return a[0].items[0] if a[0].items else Known(None, span)
    if name == "jsonencode": return Encoded(a[0], span)
    if name == "jsondecode":
        from blastdoor.evaluate.jsontext import decode
        d = decode(a[0]); return d if d is not None else unk(a[0], span)
    if name in ("setunion",):
        its = {}
        for v in a:
            if not (isinstance(v, Many) and v.complete): return unk(v, span)
            its.update({i.key(): i for i in v.items})
        return Many(tuple(its.values()), span, is_set=True)
    if name == "setsubtract":
        if isinstance(a[0], Unknown): return unk(a[0], span)
        if all(isinstance(v, Many) and v.complete for v in a[:2]):
            ks = {i.key() for i in a[1].items}
            return Many(tuple(i for i in a[0].items if i.key() not in ks), span, is_set=True)
        return unk(a[1], span)
    if name == "setproduct" and all(isinstance(v, Many) and v.complete for v in a):
        n = 1
        for v in a: n *= len(v.items)
        if n > 20000: return Unknown(Reason.BUDGET, name, span)
        return Many(tuple(Many(c) for c in product(*[v.items for v in a])), span)
    if name == "file":
        p = txt(a[0])
        if p is None: return unk(a[0], span)
        t = files.read(p)
        return Known(t, span) if t is not None else Unknown(Reason.OUTSIDE_FILE, p, span)
    if name == "templatefile" and isinstance(a[1], Mapping) and txt(a[0]) is not None: return files.template(txt(a[0]), a[1], span)
    ts = [txt(v) for v in a]
    if name in ("lower", "upper", "trimspace", "title", "chomp") and ts[0] is not None:
        return Known({"lower": str.lower, "upper": str.upper, "trimspace": str.strip, "title": str.title, "chomp": lambda s: s.rstrip("\n")}[name](ts[0]), span)
    if name == "replace" and None not in ts and not (ts[1][:1] == "/" == ts[1][-1:]): return Known(ts[0].replace(ts[1], ts[2]), span)
    if name == "split" and None not in ts: return Many(tuple(Known(x, span) for x in (ts[1].split(ts[0]) if ts[1] else [""])), span)
    if name == "join" and ts[0] is not None and isinstance(a[1], Many) and a[1].complete and all(txt(i) is not None for i in a[1].items):
        return Known(ts[0].join(txt(i) for i in a[1].items), span)
    if name == "substr" and None not in ts:
        o, l = int(ts[1]), int(ts[2]); return Known(ts[0][o:] if l < 0 else ts[0][o:o+l], span)
    if name == "startswith" and None not in ts: return Known(ts[0].startswith(ts[1]), span)
    if name == "endswith" and None not in ts: return Known(ts[0].endswith(ts[1]), span)
    if name == "format" and None not in ts and "%" in ts[0] and set(__import__("re").findall("%(.)", ts[0])) <= {"s", "d"}:
        out, rest = "", iter(ts[1:]); 
        parts = __import__("re").split("%[sd]", ts[0])
        out = parts[0]
        for p in parts[1:]: out += next(rest) + p
        return Known(out, span)
    for v in a:
        if isinstance(v, Unknown): return unk(v, span)
    return Unknown(Reason.FUNCTION, name, span)
