"""Whether the HCL parser accepts and rejects what ``terraform fmt`` does.

python -m benchmarks.acceptance FOLDER... [--mutants N] [--seed S]

Asks about every distinct native file of the folders, then about as many mutated snippets: files and
hand-written expressions with characters and tokens put in, taken out or exchanged. Needs blastdoor
in the environment of this Python and ``terraform`` 1.11 on the path. Exits 1 on a disagreement.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.measure import native_texts

from blastdoor.parse.hcl import parse_hcl
from blastdoor.span import Document

_TOKENS: Final = (
    *("a", "b.c", '"x"', '"${a}"', '"%{if a}x%{endif}"', "1", "1.5", "1e5", ".0", "e1", "_", "-"),
    *("{", "}", "[", "]", "(", ")", "=", ":", "=>", ",", "...", ".", "*", "[*]", ".*", "?", "+"),
    *("!", "&&", "==", "/", "%", "<", ">=", "||", "\n", "\n", "\n", " ", "  ", "\t", "\r\n", "::"),
    *("# c\n", "// d\n", "/* e */", "for", "in", "if", "x", '"', "$", "${", "%{", "~}", "\\", "f("),
    *("<<A\n", "A\n", "<<-A\n", "0", "true", "null", "é", "a = ", "a {\n", "}\n", '"l" {'),
    *("b = [", "c = {\n", "%%{", "$${", "endif", "else", "endfor", "\ufeff", '"a\\n"', "\\u12"),
)
_SNIPPETS: Final = (
    'a = [for k, v in b : "${k}-${v.x[0].y}" if v != null]\n',
    "b = {for k, v in c : k => v... if v}\n",
    'c "d" "e" {\n  f = 1\n  g { h = "x" }\n}\n',
    "a = <<-EOT\n  x ${b} %{ if c ~}\n  y\n  %{ endif }\n  EOT\n",
    "a = f(b, c...)[*].d.0 ? -1 : !x && y || (z + 2) * 3\n",
    'a = { b = 1, "c" : 2\n (d) = 3 }\n',
    'a = "x\\n${b}\\u00e9$${c}%%{d}"\n',
    "a = b.*.c[0]\n",
    "a {}\n",
    "a { b = 1 }\n",
    "a = provider::x::y(1)\n",
    "a = [\n 1, # x\n 2,\n]\n",
)


def accepted(text: bytes) -> bool:
    """Whether Terraform takes the text for valid syntax."""
    done = subprocess.run(
        ["terraform", "fmt", "-"],  # noqa: S607  the program on the path is what is asked for
        input=text,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def mutant(random_: random.Random, files: list[str]) -> str:
    """A text that is nearly Terraform."""
    kind = random_.random()
    if kind < 0.3:  # noqa: PLR2004  shares of the three kinds
        tokens = "".join(random_.choice(_TOKENS) for _ in range(random_.randint(1, 9)))
        return random_.choice(("", "a = ")) + tokens + random_.choice(("", "\n"))
    text = random_.choice(_SNIPPETS if kind < 0.75 or not files else files)  # noqa: PLR2004
    for _ in range(random_.choice((1, 1, 1, 2))):
        at = random_.randrange(len(text) + 1)
        change = random_.random()
        if change < 0.4:  # noqa: PLR2004
            text = text[:at] + text[at + 1 :]
        elif change < 0.8:  # noqa: PLR2004
            text = text[:at] + random_.choice(_TOKENS) + text[at:]
        else:
            text = text[:at] + text[at + random_.randint(1, 6) :]
    return text


def compare(kind: str, texts: dict[str, str]) -> int:
    """How often the two disagree. Effect: prints each disagreement and the sums."""
    names = list(texts)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(
            pool.map(lambda name: accepted(texts[name].encode("utf-8", "replace")), names)
        )
    wrong = 0
    for name, theirs in zip(names, verdicts, strict=True):
        faults = parse_hcl(Document(name, texts[name])).faults
        if theirs == bool(faults):
            wrong += 1
            ours = f"rejected: {faults[0].message}" if faults else "accepted"
            print(f"{name}: Terraform {'accepts' if theirs else 'rejects'} it, here {ours}")
            if kind == "mutants":
                print(f"  {texts[name]!r}"[:500])
    print(
        f"{kind}: {len(names)} texts, {verdicts.count(False)} rejected by Terraform, {wrong} differ"
    )
    return wrong


def main() -> int:
    """Effect: compares and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--mutants", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args()
    files = {
        f"{folder.name}/{name}": text
        for folder in options.folders
        for name, text in native_texts(folder)
    }
    distinct = {text: name for name, text in files.items()}
    wrong = compare("files", {name: text for text, name in distinct.items()})
    random_ = random.Random(options.seed)  # noqa: S311  a test series, no secret
    short = [text for text in distinct if len(text) < 3_000]  # noqa: PLR2004  characters
    texts = {f"mutant {i}": mutant(random_, short) for i in range(options.mutants)}
    return 1 if wrong + (compare("mutants", texts) if texts else 0) else 0


if __name__ == "__main__":
    sys.exit(main())
