"""CDK, troposphere and Pulumi: what a program declares, as resources of the types it stands for.

Each construct becomes the resource whose properties it sets, with the place that its stack says; what
is changed afterwards (a removal policy, an ingress rule, a statement that is added, a raw override)
is told of the same resource. Rules about resources then ask no more than they ask of a template.

Sources: AWS CDK Developer Guide, "Environments", "Resources and the AWS CDK", "Aspects", "Customize
constructs" (escape hatches); Pulumi documentation, "Resource options" and "Transforms".
"""

from __future__ import annotations

import ast
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.cloudformation import resource as lowered
from blastdoor.evaluate.cloudformation.values import ANYWHERE, Place
from blastdoor.evaluate.python import names, operations
from blastdoor.evaluate.python.addresses import address_of, id_of, scope_of, title_of
from blastdoor.evaluate.python.environments import (
    environment_of,
    environment_said,
    given_environment,
    is_stack,
)
from blastdoor.evaluate.python.meanings import principal_of
from blastdoor.evaluate.python.providers import Providers, arguments_of, is_provider
from blastdoor.evaluate.python.things import (
    Bound,
    Call,
    Class,
    Function,
    Instance,
    Later,
    Thing,
)
from blastdoor.fact import CROSS_REGION, MADE_ON, TOLD_ELSEWHERE, AppWide, EscapeHatch, Stack
from blastdoor.value import (
    Alternative,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    Reason,
    Unknown,
    Value,
    known_text,
    one_of,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.fact import Evaluated, Provider, Resource
    from blastdoor.span import Document, Span

    ToValue = Callable[[Thing, Span | None], Value]

_HOPS: Final = 12
"""Constructs within one another, and names for one, that are followed."""
_STATEMENTS: Final = frozenset(
    {"add_to_policy", "add_to_principal_policy", "add_to_role_policy", "add_statements"}
)
"""Methods that add statements to the policy of an identity."""
_OVERRIDES: Final = {
    "add_override": False,
    "add_property_override": True,
    "add_deletion_override": False,
    "add_property_deletion_override": True,
}
"""Method → whether its path begins below ``Properties``."""
_OPTIONS: Final = {
    "deletion_policy": "DeletionPolicy",
    "update_replace_policy": "UpdateReplacePolicy",
}
"""Attributes of ``cfn_options`` that say what becomes of a resource."""
_BEHIND: Final = ("resource", "properties")
"""Dictionaries of a class of troposphere's: what is written beside the properties, and these."""
_LEFT: Final = frozenset(_OPTIONS.values())
_CHANGES: Final = frozenset(
    {*_OVERRIDES, "apply_removal_policy", "override_logical_id", "add_deletion_override"}
)
_TRANSFORMS: Final = frozenset(
    {"register_stack_transformation", "register_resource_transform", "register_stack_transform"}
)
_ALL_PROTOCOLS: Final = "-1"
_STACK: Final = "AWS::CloudFormation::Stack"
_PROGRAM: Final = "__main__.py"
"""The file that a project of Pulumi's runs, for which the settings of its stacks are."""
_LIFECYCLE: Final = {"protect": "prevent_destroy", "ignore_changes": "ignore_changes"}
"""Resource option of Pulumi → argument of Terraform's ``lifecycle``."""


class Lowering:
    """The constructs of one program."""

    def __init__(
        self,
        unit: Evaluated,
        document: Document,
        value: ToValue,
        settings: AbstractMapping[str, Value] = MappingProxyType({}),
    ) -> None:
        """``settings`` are those of the default provider of Pulumi, where the repository says them."""
        self.unit = unit
        self.settings = settings
        self.providers = Providers(value, settings, None)
        self.document = document
        self.value = value
        self._attributes: dict[int, dict[str, Value]] = {}
        """Construct → attributes that are given to it later."""
        self._overrides: dict[int, list[tuple[str, Value, Span]]] = {}
        """Resource of L1 → path below its properties, value and place of raw overrides."""
        self._types: dict[int, str] = {}
        self._kept: list[Thing] = []

    def lower(self, calls: Iterable[Call]) -> None:
        """Effect: puts the resources of a program, and what reaches further than one, into the unit."""
        every = list(calls)
        ordered = [call for call in every if call.span.document is self.document]
        if self.unit.address.rpartition("/")[2] == _PROGRAM:
            uses = (c.name_span for c in ordered if names.provider_type(c.name) is not None)
            self.providers = Providers(self.value, self.settings, next(uses, None))
        for call in ordered:
            if not isinstance(call.function, Bound):
                continue
            if call.function.name == "apply_removal_policy":
                self._removal(call)
            elif call.function.name in _OVERRIDES:
                self._raw(call, call.function, below=_OVERRIDES[call.function.name])
        for call in ordered:
            self._one(call)
            if call.later is not None:
                self._past(call, call.later)
        self.unit.providers.extend(self.providers.all())
        for call in every:
            if call.span.document is not self.document:
                self._imported(call)

    def _imported(self, call: Call) -> None:
        """Effect: places what a class of another file makes in a stack whose region is said here."""
        type_ = names.template_type(call.name)
        row = None if type_ is not None else names.construct(call.name)
        scope = None if type_ is None and row is None else scope_of(call)
        region = None if scope is None else environment_of(scope, self.value)[0]
        if region is None or isinstance(region, Unknown):
            return
        count = len(self.unit.resources)
        if row is not None:
            self._add(call, row.type, self._of_construct(call, row))
        elif type_ is not None:
            self._add(call, type_, self._exact(call, cdk=call.name.startswith("aws_cdk")))
        for resource in self.unit.resources[count:]:
            resource.extra[TOLD_ELSEWHERE] = Known(data=True)
            resource.module = call.span.path

    def _one(self, call: Call) -> None:
        name = call.name
        library = name.partition(".")[0]
        if library in ("aws_cdk", "troposphere"):
            self._construct(call, name)
        elif library in ("pulumi_aws", "pulumi_azure", "pulumi_gcp"):
            self._pulumi(call, name)
        elif library == "pulumi" and name.rpartition(".")[2] in _TRANSFORMS:
            self._transform(call, name)
        elif isinstance(call.function, Class):
            self._stack(call, call.function)
        if isinstance(call.function, Bound):
            self._method(call, call.function)

    # Constructs

    def _construct(self, call: Call, name: str) -> None:
        type_ = names.template_type(name)
        if type_ is not None:
            properties = self._exact(call, cdk=name.startswith("aws_cdk"))
        else:
            row = names.construct(name)
            if row is None:
                if name in ("aws_cdk.Stack", "aws_cdk.core.Stack"):
                    self._stack(call, None)
                return
            type_, properties = row.type, self._of_construct(call, row)
            if type_ == "AWS::IAM::Role":
                self._inline(call)
        self._add(call, type_, properties)

    def _add(self, call: Call, type_: str, properties: Mapping) -> None:
        self._kept.append(call)
        self._types[id(call)] = type_
        attributes = dict(self._attributes.get(id(call), {}))
        for later in call.later or ():
            name = _left(later.path)
            if name:
                found = self.value(later.thing, later.span).at(later.span)
                attributes[name] = _or_before(found, attributes.get(name), later, call)
        for argument, attribute in (
            ("removal_policy", "DeletionPolicy"),
            ("DeletionPolicy", "DeletionPolicy"),
            ("UpdateReplacePolicy", "UpdateReplacePolicy"),
        ):
            thing = call.keywords.get(argument)
            if thing is not None and attribute not in attributes:
                span = call.spans.get(argument, call.span)
                found = self.value(thing, span)
                attributes[attribute] = found.at(span) if found.span is None else found
        place = self._place(call)
        for region in turns(place.region):
            made = lowered.make(
                type_,
                id_of(call),
                properties,
                span=call.name_span,
                address=address_of(call),
                attributes=attributes,
                place=replace(place, region=region),
                module=self.unit.address,
            )
            if self._across(call):
                made.extra[CROSS_REGION] = Known(data=True)
            self.unit.resources.append(made)

    def _across(self, call: Call) -> bool:
        """Whether the stack around a construct may refer to things of stacks in other regions."""
        scope = scope_of(call)
        for _hop in range(_HOPS):
            outer = scope.call if isinstance(scope, Instance) else scope
            if outer is None:
                break
            given = outer.keywords.get("cross_region_references")
            if given is not None and operations.truth(self.value(given, None)) is not False:
                return True
            scope = scope_of(outer)
        return False

    def _exact(self, call: Call, *, cdk: bool) -> Mapping:
        """The properties of a class that is made from a schema."""
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for name, thing in call.keywords.items():
            span = call.spans.get(name, call.span)
            found = self.value(thing, span)
            key = names.property_name(name) if cdk else name
            entries[key] = names.renamed(found) if cdk else found
            spans[key] = span
        for later in call.later or ():
            if len(later.path) == 1 and later.path[0] not in _LEFT:
                found = self.value(later.thing, later.span).at(later.span)
                key = names.property_name(later.path[0]) if cdk else later.path[0]
                found = names.renamed(found) if cdk else found
                entries[key] = _or_before(found, entries.get(key), later, call)
                spans[key] = later.span
        for path, value, span in self._overrides.get(id(call), ()):
            _lay(entries, path.split("."), value, span)
        return Mapping(entries, call.span, complete=call.complete, key_spans=spans)

    def _of_construct(self, call: Call, row: tables.ConstructRow) -> Mapping:
        tree: names.Tree = {}
        for name, path in row.names.items():
            thing = call.keywords.get(name)
            if thing is None:
                continue
            span = call.spans.get(name, call.span)
            found = self.value(thing, span)
            if name == "assumed_by":
                found = self._trust(thing, span)
            found = names.renamed(found)
            names.put(tree, path, found.at(span) if found.span is None else found)
        statements = call.keywords.get("statements")
        if statements is not None:
            span = call.spans.get("statements", call.span)
            tree["PolicyDocument"] = Mapping({"Statement": self.value(statements, span)}, span)
        return names.whole(tree, call.span, complete=call.complete)

    def _trust(self, thing: Thing, span: Span) -> Value:
        """The trust policy of a role that a principal may assume."""
        principal = principal_of(thing, self.value) if isinstance(thing, Call) else None
        if principal is None:
            return Unknown(Reason.COMPUTED, "a principal", span)
        statement = Mapping(
            {
                "Effect": Known("Allow", span),
                "Principal": principal,
                "Action": Known("sts:AssumeRole", span),
            },
            span,
        )
        return _document((statement,), span)

    def _inline(self, call: Call) -> None:
        """Effect: the inline policies of a role, each a policy of its own."""
        thing = call.keywords.get("inline_policies")
        found = self.value(thing, call.span) if thing is not None else None
        if not isinstance(found, Mapping):
            return
        for name, document in found.entries.items():
            if isinstance(document, Mapping):
                self._policy(call, "AWS::IAM::Policy", "PolicyDocument", document, name)

    def _policy(
        self, call: Call, type_: str, attribute: str, document: Value, name: str = ""
    ) -> None:
        """Effect: a policy that a program adds."""
        address = address_of(call)
        made = lowered.make(
            type_,
            name or id_of(call),
            Mapping({attribute: document}, call.span),
            span=call.name_span,
            address=f"{address}.{name}" if name else address,
            place=self._place(call),
            module=self.unit.address,
        )
        self._made_on(made, call)
        self.unit.resources.append(made)

    @staticmethod
    def _made_on(made: Resource, call: Call) -> None:
        """Effect: what a method of a construct makes is part of the construct.

        A grant is none: it is part of whoever gets it.
        """
        address = address_of(call)
        if isinstance(call.function, Bound):
            if call.function.name.startswith("grant_"):
                return
            address = address.rpartition("/")[0]
        if address:
            made.extra[MADE_ON] = Known(address)

    # What is done to constructs

    def _method(self, call: Call, function: Bound) -> None:
        name = function.name
        if name in _STATEMENTS:
            items = tuple([self.value(thing, call.span) for thing in call.arguments])
            if items and all(isinstance(item, Mapping) for item in items):
                document = _document(items, call.span)
                self._policy(call, "AWS::IAM::Policy", "PolicyDocument", document)
        elif name == "add_to_resource_policy" and call.arguments:
            self._resource_policy(call, function)
        elif name in ("add_ingress_rule", "allow_from", "allow_from_any_ipv4"):
            self._ingress(call, name)
        elif name == "add_managed_policy" and isinstance(function.base, Call):
            self._attached(call, function.base)
        elif name in ("add_permission", "grant_invoke"):
            self._invoked(call, name)
        elif name.startswith("grant_") and isinstance(function.base, Call):
            self._granted(call, function.base, name)
        elif name == "add_function_url":
            self._url(call)
        elif name in _OVERRIDES:
            self._override(call, function, below=_OVERRIDES[name])
        elif name == "add" and isinstance(function.base, Call):
            self._aspect(call, function.base)
        elif name in ("destroy", "apply") and isinstance(function.base, Call):
            self._removal_of_all(call, function.base, destroys=name == "destroy")

    def _removal(self, call: Call) -> None:
        assert isinstance(call.function, Bound)
        target = _default_child(call.function.base)
        thing = call.argument(0, "policy")
        if target is None or thing is None:
            return
        found = self.value(thing, call.span)
        self._kept.append(target)
        self._attributes.setdefault(id(target), {})["DeletionPolicy"] = found.at(call.span)

    def _raw(self, call: Call, function: Bound, *, below: bool) -> None:
        """Effect: a raw override of a resource of L1 is one of its properties like any other."""
        target = function.base
        path = call.argument(0, "path", "property_path")
        text = known_text(self.value(path, call.span)) if path is not None else None
        if text is None or not isinstance(target, Call) or names.template_type(target.name) is None:
            return
        thing = call.argument(1, "value")
        value = Known(None, call.span) if thing is None else self.value(thing, call.span)
        if call.guarded != target.guarded:
            value = Unknown(Reason.CALLER, call.guarded, call.span)
        value = value.at(call.span) if value.span is None else value
        self._kept.append(target)
        if not below and text in _LEFT:
            self._attributes.setdefault(id(target), {})[text] = value
        elif below or text.startswith("Properties."):
            text = text.removeprefix("Properties.")
            self._overrides.setdefault(id(target), []).append((text, value, call.span))

    def _past(self, call: Call, changes: list[Later]) -> None:
        """Effect: attributes of the resource behind a construct are raw overrides of it."""
        made = call
        if isinstance(call.function, Bound) and call.function.name == "add_resource":
            given = call.argument(0, "resource")
            made = given if isinstance(given, Call) else call
        if made.name.startswith("troposphere."):
            self._past_template(made, changes)
            return
        row = names.construct(call.name)
        for later in changes:
            if later.path[:2] != ("node", "default_child") or len(later.path) < 3:  # noqa: PLR2004
                continue
            rest = later.path[2:]
            path = _left(rest) or ".".join(map(names.property_name, rest))
            found = self.value(later.thing, later.span)
            self.unit.escape_hatches.append(
                EscapeHatch(
                    f"{call.assigned or id_of(call)}.node.default_child",
                    path,
                    row.type if row is not None else "",
                    found,
                    later.span,
                    call.owner,
                )
            )

    def _past_template(self, call: Call, changes: list[Later]) -> None:
        """Effect: entries of the dictionaries behind a class of troposphere's are raw overrides."""
        for later in changes:
            if len(later.path) == len(_BEHIND) and later.path[0] in _BEHIND:
                self.unit.escape_hatches.append(
                    EscapeHatch(
                        f"{call.assigned or id_of(call)}.{later.path[0]}",
                        later.path[1],
                        names.template_type(call.name) or "",
                        self.value(later.thing, later.span),
                        later.span,
                        call.owner,
                    )
                )

    def _resource_policy(self, call: Call, function: Bound) -> None:
        base = function.base
        type_ = ""
        if isinstance(base, Call):
            row = names.construct(base.name)
            type_ = row.type if row is not None else ""
        policy = tables.constructs().resource_policies.get(type_)
        statement = self.value(call.arguments[0], call.span)
        if policy is not None and isinstance(statement, Mapping):
            document = _document((statement,), call.span)
            self._policy(call, policy[0], policy[1], document)

    def _attached(self, call: Call, base: Call) -> None:
        """Effect: a managed policy that an identity gets later."""
        row = names.construct(base.name)
        given = call.argument(0, "policy")
        attribute = "" if row is None else tables.policy_attachments().get(row.type, "")
        if row is None or given is None or not attribute:
            return
        found = self.value(given, call.span)
        self._policy(call, row.type, attribute, Many((found,), call.span))

    def _invoked(self, call: Call, name: str) -> None:
        """Effect: whom a function lets call it."""
        given = call.argument(0 if name == "grant_invoke" else 1, "grantee", "principal")
        principal = principal_of(given, self.value) if isinstance(given, Call) else None
        who = None if principal is None else _only(principal)
        if who is not None:
            entries = {
                names.property_name(key): self.value(thing, call.spans.get(key, call.span))
                for key, thing in call.keywords.items()
                if key in ("source_arn", "source_account", "organization_id")
            }
            properties = Mapping({**entries, "Principal": who}, call.span)
            self._of_method(call, "AWS::Lambda::Permission", properties)

    def _granted(self, call: Call, base: Call, name: str) -> None:
        """Effect: the statement that a resource's own policy gets for a principal of no construct."""
        row = names.construct(base.name)
        kind = ".".join(base.name.split(".")[-2:])
        actions = tables.constructs().grants.get((kind, name))
        policy = None if row is None else tables.constructs().resource_policies.get(row.type)
        given = call.argument(0, "identity", "grantee")
        if name == "grant_public_access" and kind == "aws_s3.Bucket":
            actions = ("s3:GetObject",)
            principal: Value | None = Mapping({"AWS": Known("*", call.span)}, call.span)
        else:
            principal = principal_of(given, self.value) if isinstance(given, Call) else None
        if policy is None or principal is None or not actions:
            return
        statement = Mapping(
            {
                "Effect": Known("Allow", call.span),
                "Principal": principal,
                "Action": Many(tuple([Known(action, call.span) for action in actions]), call.span),
                "Resource": self.value(base, None),
            },
            call.span,
        )
        self._policy(call, policy[0], policy[1], _document((statement,), call.span))

    def _of_method(self, call: Call, type_: str, properties: Mapping) -> None:
        """Effect: the resource that a method of a construct makes."""
        made = lowered.make(
            type_,
            id_of(call),
            properties,
            span=call.name_span,
            address=address_of(call),
            place=self._place(call),
            module=self.unit.address,
        )
        self._made_on(made, call)
        self.unit.resources.append(made)

    def _ingress(self, call: Call, name: str) -> None:
        if name == "allow_from_any_ipv4":
            peer: Value = Known("0.0.0.0/0", call.name_span)
            port = call.argument(0, "port_range", "port")
        else:
            given = call.argument(0, "peer", "other")
            if given is None or not isinstance(given, Call) or ".Peer." not in given.name:
                return
            peer = self.value(given, call.span)
            port = call.argument(1, "connection", "port_range")
        ports = self._ports(port)
        text = known_text(peer)
        if ports is None or text is None:
            return
        span = peer.span or call.span
        entries = {**ports, "CidrIpv6" if ":" in text else "CidrIp": peer}
        self._of_method(call, "AWS::EC2::SecurityGroupIngress", Mapping(entries, span))

    def _ports(self, thing: Thing | None) -> dict[str, Value] | None:
        """Protocol and ports of CDK's ``Port``; ``None`` where they are not known."""
        if not isinstance(thing, Call) or ".Port." not in thing.name:
            return None
        short = thing.name.rpartition(".")[2]
        numbers = [self.value(argument, thing.span) for argument in thing.arguments]
        protocol = "udp" if "udp" in short else "tcp"
        if short == "all_traffic":
            return {"IpProtocol": Known(_ALL_PROTOCOLS, thing.span)}
        if short in ("tcp", "udp") and len(numbers) == 1:
            numbers = [numbers[0], numbers[0]]
        elif short in ("all_tcp", "all_udp"):
            numbers = [Known(0, thing.span), Known(65535, thing.span)]
        elif short not in ("tcp_range", "udp_range") or len(numbers) != 2:  # noqa: PLR2004
            return None
        return {
            "IpProtocol": Known(protocol, thing.span),
            "FromPort": numbers[0],
            "ToPort": numbers[1],
        }

    def _url(self, call: Call) -> None:
        thing = call.keywords.get("auth_type")
        if thing is None:
            return
        span = call.spans.get("auth_type", call.span)
        said = self.value(thing, span).at(span)
        self._of_method(call, "AWS::Lambda::Url", Mapping({"AuthType": said}, call.span))
        if known_text(said) == "NONE":
            # AWS CDK API Reference, aws_lambda.FunctionUrlAuthType: with NONE everybody may call it.
            entries: dict[str, Value] = {
                "Action": Known("lambda:InvokeFunctionUrl", span),
                "FunctionUrlAuthType": said,
                "Principal": Known("*", span),
            }
            self._of_method(call, "AWS::Lambda::Permission", Mapping(entries, call.span))

    def _override(self, call: Call, function: Bound, *, below: bool) -> None:
        path = call.argument(0, "path", "property_path")
        text = known_text(self.value(path, call.span)) if path is not None else None
        if text is None:
            return
        target = _default_child(function.base)
        if target is not None and names.template_type(target.name) is not None:
            return  # of L1: the property itself, see `_raw`
        row = names.construct(target.name) if target is not None else None
        type_ = row.type if row is not None else ""
        thing = call.argument(1, "value")
        value = self.value(thing, call.span) if thing is not None else None
        self.unit.escape_hatches.append(
            EscapeHatch(
                call.name_span.text.rpartition(".")[0],
                text if below else text.removeprefix("Properties."),
                type_,
                value,
                call.span if value is None or value.span is None else value.span,
                call.owner,
            )
        )

    # What reaches everything

    def _aspect(self, call: Call, base: Call) -> None:
        if not base.name.endswith(("Aspects.of", "Mixins.of")) or not base.arguments:
            return
        scope = self._scope_word(base.arguments[0])
        visitor = call.arguments[0] if call.arguments else None
        changes = _visits(visitor) if isinstance(visitor, Instance) else ()
        if scope:
            self.unit.app_wide.append(
                AppWide(
                    f"{base.name_span.text}({_argument(base)}).add",
                    scope,
                    changes,
                    destroys=False,
                    span=call.span,
                    owner=call.owner,
                )
            )

    def _removal_of_all(self, call: Call, base: Call, *, destroys: bool) -> None:
        if not base.name.endswith("RemovalPolicies.of") or not base.arguments:
            return
        scope = self._scope_word(base.arguments[0])
        if not destroys and call.arguments:
            destroys = known_text(self.value(call.arguments[0], call.span)) == "Delete"
        if scope and destroys:
            self.unit.app_wide.append(
                AppWide(
                    f"{base.name_span.text}({_argument(base)})",
                    scope,
                    ("its removal policy becomes destroy",),
                    destroys=True,
                    span=call.span,
                    owner=call.owner,
                )
            )

    def _transform(self, call: Call, name: str) -> None:
        visitor = call.arguments[0] if call.arguments else None
        changes = _rewrites(visitor) if isinstance(visitor, Function) else ()
        self.unit.app_wide.append(
            AppWide(
                name.rpartition(".")[2],
                "program",
                changes,
                destroys=False,
                span=call.span,
                owner=call.owner,
            )
        )

    def _scope_word(self, thing: Thing) -> str:
        """``app`` or ``stage`` when something is one."""
        bases: tuple[str, ...] = ()
        if isinstance(thing, Call):
            bases = (thing.name,)
        elif isinstance(thing, Instance):
            bases = thing.kind.base_names()
        for word in ("App", "Stage"):
            if any(base in (f"aws_cdk.{word}", f"aws_cdk.core.{word}") for base in bases):
                return word.lower()
        return ""

    # Places

    def _stack(self, call: Call, kind: Class | None) -> None:
        if kind is not None and not is_stack(kind):
            return
        environment = given_environment(call)
        region, account = environment_said(environment, self.value)
        if environment is None:
            scope = scope_of(call)
            if scope is not None:
                region, account = environment_of(scope, self.value)
        self.unit.stacks.append(Stack(id_of(call), region, account, call.name_span, call.owner))
        entries: dict[str, Value] = {}
        thing = call.keywords.get("termination_protection")
        if thing is not None:
            span = call.spans.get("termination_protection", call.span)
            entries["EnableTerminationProtection"] = self.value(thing, span).at(span)
        made = lowered.make(
            _STACK,
            id_of(call),
            Mapping(entries, call.span, complete=call.complete),
            span=call.name_span,
            address=address_of(call),
            module=self.unit.address,
        )
        # Where it goes is said by what is in it.
        made.region = made.partition = made.account = None
        self.unit.resources.append(made)

    def _place(self, call: Call) -> Place:
        scope = scope_of(call)
        if scope is None:
            return ANYWHERE
        region, account = environment_of(scope, self.value)
        place = ANYWHERE if region is None else Place(region)
        return place if account is None else replace(place, account=account)

    # Pulumi

    def _pulumi(self, call: Call, name: str) -> None:
        if is_provider(name):
            self.providers.of(call)
            return
        type_ = names.provider_type(name)
        if type_ is None:
            return
        said = arguments_of(call)
        entries: dict[str, Value] = {}
        for key, thing in said.keywords.items():
            span = said.spans.get(key, call.span)
            found = self.value(thing, span)
            entries[key] = found.at(span) if found.span is None else found
        options = said.options
        if isinstance(options, Call):
            lifecycle = {
                argument: self.value(
                    options.keywords[option], options.spans.get(option, options.span)
                )
                for option, argument in _LIFECYCLE.items()
                if option in options.keywords
            }
            if lifecycle:
                entries["lifecycle"] = Mapping(lifecycle, options.span)
        title = title_of(call)
        properties = Mapping(entries, call.span, complete=said.complete)
        for provider, region in self._provided(type_, options, entries.get("region"), call):
            made = lowered.make(
                type_,
                title,
                properties,
                span=call.name_span,
                address=f"{type_}.{title}",
                place=Place(region=region) if type_.startswith("aws_") else ANYWHERE,
                module=self.unit.address,
            )
            if not type_.startswith("aws_"):
                made.region = made.partition = made.account = None
            elif provider is not None:
                made.account = provider.account
            made.provider = provider
            made.selects_provider = provider is not None and bool(provider.alias)
            self.unit.resources.append(made)

    def _provided(
        self, type_: str, options: Thing | None, own: Value | None, call: Call
    ) -> list[tuple[Provider | None, Value]]:
        """The provider configurations of a resource, one for each turn of a loop, and its regions."""
        chosen = self.providers.chosen(options)
        if isinstance(chosen, Unknown):
            return [(None, chosen)]
        if chosen is None:
            default = self.providers.default if type_.startswith("aws_") else None
            chosen = [] if default is None else [default]
        if own is not None and type_.startswith("aws_"):
            provider = chosen[0] if len(chosen) == 1 else None
            return [(provider, region) for region in turns(own)]
        if chosen:
            return [(provider, provider.region) for provider in chosen]
        region = self.settings.get("region") or Inherited(
            Reason.ENVIRONMENT, "aws:region", call.name_span, meaning=Meaning.CURRENT_REGION
        )
        return [(None, region)]


def _argument(call: Call) -> str:
    text = call.span.text.removeprefix(call.name_span.text)
    return text.strip("() \n")[:40]


def _default_child(thing: Thing) -> Call | None:
    """The construct behind ``bucket.node.default_child``."""
    current: Thing = thing
    for _hop in range(_HOPS):
        if isinstance(current, Call) and current.name:
            return current
        if isinstance(current, Bound):
            current = current.base
        elif isinstance(current, Call):
            current = current.function
        else:
            return None
    return None


def _only(principal: Value) -> Value | None:
    """The one name that a principal is."""
    if not isinstance(principal, Mapping) or len(principal.entries) != 1:
        return None
    return next(iter(principal.entries.values()))


def _document(statements: tuple[Value, ...], span: Span) -> Mapping:
    """A policy of statements, as CDK writes it."""
    return Mapping(
        {"Version": Known("2012-10-17", span), "Statement": Many(statements, span)}, span
    )


def _left(path: tuple[str, ...]) -> str:
    """The attribute of a resource that a path of names sets, when it says what becomes of it."""
    if len(path) == 2 and path[0] == "cfn_options":  # noqa: PLR2004
        return _OPTIONS.get(path[1], "")
    return path[0] if len(path) == 1 and path[0] in _LEFT else ""


def _or_before(value: Value, before: Value | None, later: Later, call: Call) -> Value:
    """What an attribute is after it was set, perhaps under a condition."""
    if later.guarded == call.guarded:
        return value
    unset = Unknown(Reason.COMPUTED, "the default", later.span)
    return one_of([Alternative(before or unset, ""), Alternative(value, later.guarded)], later.span)


def _lay(entries: dict[str, Value], path: list[str], value: Value, span: Span) -> None:
    """Effect: puts a value at a path below properties; what it goes through becomes open."""
    head, rest = path[0], path[1:]
    if not rest:
        entries[head] = value
        return
    inner = entries.get(head)
    if isinstance(inner, Mapping) or inner is None:
        below = dict(inner.entries) if isinstance(inner, Mapping) else {}
        if len(rest) < _HOPS:
            _lay(below, rest, value, span)
        whole = inner is None or inner.complete
        entries[head] = Mapping(below, span, complete=whole)
    else:
        entries[head] = Unknown(Reason.COMPUTED, ".".join(path), span)


def _visits(visitor: Instance) -> tuple[str, ...]:
    """What an aspect does to what it visits, in words."""
    method = visitor.kind.find("visit")
    if not isinstance(method, Function):
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(method.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _CHANGES:
                found[node.func.attr] = None
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and not (
                    isinstance(target.value, ast.Name) and target.value.id == "self"
                ):
                    found[f"sets {target.attr}"] = None
    return tuple(found)


def _rewrites(transform: Function) -> tuple[str, ...]:
    """What a transform sets on every resource; empty where it asks for a type, or for tags alone."""
    found: dict[str, None] = {}
    for node in ast.walk(transform.node):
        if isinstance(node, ast.Attribute) and node.attr in ("type_", "type"):
            return ()
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    found[f"sets {target.slice.value!s}"] = None
                elif isinstance(target, ast.Attribute):
                    found[f"sets {target.attr}"] = None
    return tuple(name for name in found if "tags" not in name)
