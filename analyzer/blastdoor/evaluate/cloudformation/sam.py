"""What SAM makes of a template: the layer of ``Globals``, and the resources that its types stand for.

A resource of SAM's becomes the type that it stands for, under its own logical id, with the properties
of the type that are not SAM's own as they are; beside it stand the resources that SAM adds where they
say something of grants, of who may call, or of how a change rolls out. Sources: AWS SAM Developer
Guide, "Globals section of the AWS SAM template", "AWS SAM resources and properties", "Generated
CloudFormation resources for AWS SAM", "Policy template list", "Deploying serverless applications
gradually with AWS SAM".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from blastdoor import tables
from blastdoor.evaluate.cloudformation import resource as lowered
from blastdoor.evaluate.cloudformation import values
from blastdoor.evaluate.cloudformation.evaluator import Evaluator, Scope
from blastdoor.evaluate.cloudformation.template import fields, text_of
from blastdoor.evaluate.expression import joined
from blastdoor.fact import Layer, Layering
from blastdoor.value import (
    Evidence,
    Known,
    Many,
    Mapping,
    OneOf,
    Piece,
    Reason,
    Step,
    Unknown,
    Value,
    known_text,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.evaluate.cloudformation.template import Field, Template
    from blastdoor.fact import Resource
    from blastdoor.span import Span

_PREFIX: Final = "AWS::Serverless::"
FUNCTION: Final = "AWS::Serverless::Function"
STATE_MACHINE: Final = "AWS::Serverless::StateMachine"
CONNECTOR: Final = "AWS::Serverless::Connector"
LOWERED: Final = {
    FUNCTION: "AWS::Lambda::Function",
    STATE_MACHINE: "AWS::StepFunctions::StateMachine",
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::WebSocketApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::LayerVersion": "AWS::Lambda::LayerVersion",
    "AWS::Serverless::Application": "AWS::CloudFormation::Stack",
    "AWS::Serverless::GraphQLApi": "AWS::AppSync::GraphQLApi",
}
"""Type of SAM → the type that it becomes under the same logical id."""
_RENAMED: Final = {
    STATE_MACHINE: {
        "Name": "StateMachineName",
        "Role": "RoleArn",
        "Logging": "LoggingConfiguration",
    },
    "AWS::Serverless::Application": {"Location": "TemplateURL"},
}
"""Properties that have another name in the type that a type of SAM's becomes."""
_SERVICES: Final = {FUNCTION: "lambda.amazonaws.com", STATE_MACHINE: "states.amazonaws.com"}
_BASIC: Final = "service-role/AWSLambdaBasicExecutionRole"
_IN_NETWORK: Final = "service-role/AWSLambdaVPCAccessExecutionRole"
_PREDEFINED: Final = ("AllAtOnce", "Canary", "Linear")
"""How the names of CodeDeploy's own configurations for Lambda begin."""
_CALLERS: Final = {
    "AlexaSkill": "alexa-appkit.amazon.com",
    "Api": "apigateway.amazonaws.com",
    "CloudWatchEvent": "events.amazonaws.com",
    "CloudWatchLogs": "logs.amazonaws.com",
    "Cognito": "cognito-idp.amazonaws.com",
    "EventBridgeRule": "events.amazonaws.com",
    "HttpApi": "apigateway.amazonaws.com",
    "IoTRule": "iot.amazonaws.com",
    "S3": "s3.amazonaws.com",
    "SNS": "sns.amazonaws.com",
    "Schedule": "events.amazonaws.com",
}
"""Type of an event → the service that calls the function for it."""
_NARROWED: Final = frozenset(_CALLERS) - {"AlexaSkill"}
"""Events whose permission names the one source that may call."""
_POLLED: Final = frozenset(
    {"DocumentDB", "DynamoDB", "Kinesis", "MQ", "MSK", "SQS", "SelfManagedKafka"}
)
"""Events that become an event source mapping."""
_RULES: Final = frozenset({"CloudWatchEvent", "EventBridgeRule", "Schedule"})


class Globals:
    """The layer that lies below every resource of a type."""

    def __init__(self, layers: dict[str, Mapping], spans: dict[str, Span]) -> None:
        self.layers = layers
        self.spans = spans

    def under(self, type_: str, own: Value | None, ignored: Value | None = None) -> Value | None:
        """The properties of a resource with the layer of its type below them."""
        layer = self.layers.get(type_)
        value = own
        if layer is not None and isinstance(own, Mapping):
            value = _laid(_without(layer, ignored), own)
        renamed = _RENAMED.get(type_)
        if renamed and isinstance(value, Mapping):
            entries = dict(value.entries)
            for name, other in renamed.items():
                if name in entries:
                    entries.setdefault(other, entries[name])
            value = Mapping(
                entries, value.span, value.via, complete=value.complete, key_spans=value.key_spans
            )
        return value

    def layering(self, type_: str, name: str, own: Span) -> Layering | None:
        """The layer and the resource above it, in the order in which they count."""
        span = self.spans.get(type_)
        if span is None:
            return None
        section = type_.removeprefix(_PREFIX)
        below = Layer(("Globals", section), (), span, f"Globals.{section}")
        above = Layer((name,), (), own, name)
        return Layering((below, above), span, "SAM Globals", name)


def globals_of(evaluator: Evaluator) -> Globals:
    """The section ``Globals`` of a template."""
    layers: dict[str, Mapping] = {}
    spans: dict[str, Span] = {}
    for name, (key, node) in evaluator.template.section("Globals").items():
        value = evaluator.evaluate(node, Scope(f"Globals.{name}"))
        if isinstance(value, Mapping):
            layers[_PREFIX + name] = _evident(value, f"Globals.{name}", evaluator.span(key))
            spans[_PREFIX + name] = evaluator.span(key)
    return Globals(layers, spans)


def _evident(layer: Mapping, owner: str, span: Span) -> Mapping:
    """A layer whose values say that they come from it."""
    entries = {
        name: value.through(Evidence(Step.LOCAL, f"{owner}.{name}", value.span or span))
        for name, value in layer.entries.items()
    }
    return Mapping(
        entries, layer.span, layer.via, complete=layer.complete, key_spans=layer.key_spans
    )


def _without(layer: Mapping, ignored: Value | None) -> Mapping:
    """A layer without what a resource wants nothing of (``IgnoreGlobals``)."""
    if ignored is None:
        return layer
    if known_text(ignored) == "*":
        return Mapping({}, layer.span)
    names = {known_text(item) for item in ignored.items} if isinstance(ignored, Many) else set()
    entries = {name: value for name, value in layer.entries.items() if name not in names}
    return Mapping(entries, layer.span, layer.via, key_spans=layer.key_spans)


def _laid(below: Value, above: Value, depth: int = 0) -> Value:
    """Two values in layers: maps are merged, lists follow one another, else the upper one counts."""
    if depth > 100:  # noqa: PLR2004  deeper than any property; values have a limit themselves
        return above
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        entries = dict(below.entries)
        for name, value in above.entries.items():
            under = entries.get(name)
            entries[name] = value if under is None else _laid(under, value, depth + 1)
        return within_budget(
            Mapping(
                entries,
                above.span,
                above.via,
                complete=below.complete and above.complete,
                key_spans={**below.key_spans, **above.key_spans},
            )
        )
    if isinstance(below, Many) and isinstance(above, Many):
        items = tuple([item.through(*below.via) for item in below.items])
        return within_budget(
            Many(
                (*items, *above.items),
                above.span,
                above.via,
                complete=below.complete and above.complete,
            )
        )
    return above


def names(template: Template) -> tuple[str, ...]:
    """How the logical ids begin that SAM adds to a template."""
    found = ["Serverless", "CodeDeployServiceRole"]
    for name, (_key, body) in template.section("Resources").items():
        entry = fields(body).get("Type")
        if entry is not None and (text_of(entry[1]) or "").startswith(_PREFIX):
            found.append(name)
    return tuple(found)


def generated(
    made: Resource, parts: AbstractMapping[str, Field], evaluator: Evaluator
) -> Iterator[Resource]:
    """The resources that SAM adds for one of a template's."""
    source = _Source(made, evaluator)
    type_ = made.written_type
    if type_ in _SERVICES:
        yield from source.role(_SERVICES[type_])
    if type_ == FUNCTION:
        yield from source.rollout()
        yield from source.address()
        yield from source.events()
    elif type_ == CONNECTOR:
        evaluator.note(Unknown(Reason.MACRO, CONNECTOR, made.span))
    if "Connectors" in parts:
        for name, (key, _node) in fields(parts["Connectors"][1]).items():
            span = evaluator.span(key)
            evaluator.note(Unknown(Reason.MACRO, f"{CONNECTOR} {name}", span))


class _Source:
    """One resource of SAM's that others are made of."""

    def __init__(self, made: Resource, evaluator: Evaluator) -> None:
        self.made = made
        self.get = made.get
        self.span = made.span
        self.evaluator = evaluator

    def _make(
        self,
        suffix: str,
        type_: str,
        properties: Mapping | Callable[[], Value | None],
        span: Span | None = None,
    ) -> Resource:
        made = self.made
        return lowered.make(
            type_,
            made.name + suffix,
            properties,
            span=span or self.span,
            address=made.address + suffix,
            attributes={},
            place=self.evaluator.place if made.copies else self.evaluator.place.of_some(),
            module=made.module,
            path=(*made.path[:-1], made.name + suffix),
        )

    def _text(self, text: str, span: Span | None = None) -> Known:
        return Known(text, span or self.span)

    def _managed(self, name: str, span: Span) -> Value:
        """The ARN of a policy of AWS."""
        document, start, end = span.document, span.start, span.end
        parts: list[Piece | Value] = [
            Piece("arn:", document, start, end),
            values.pseudo(values.PARTITION, self.evaluator.place, span),
            Piece(f":iam::aws:policy/{name}", document, start, end),
        ]
        return joined(parts, span)

    # Grants

    def role(self, service: str) -> Iterator[Resource]:
        """The role that is made where none is given."""
        if self.get("Role") is not None:
            return
        yield self._make("Role", "AWS::IAM::Role", lambda: self._role(service))

    def _role(self, service: str) -> Mapping:
        trust = self.get("AssumeRolePolicyDocument") or self._trust(service)
        managed: list[Value] = []
        if service == _SERVICES[FUNCTION]:
            network = self.get("VpcConfig")
            managed.append(self._managed(_BASIC if network is None else _IN_NETWORK, self.span))
        inline: list[Value] = []
        given = self.get("Policies")
        complete = True
        items: list[Value] = []
        if isinstance(given, Many):
            items, complete = list(given.items), given.complete
        elif given is not None:
            items = [given]
        for number, item in enumerate(items):
            found = self._policy(item, f"{self.made.name}RolePolicy{number}")
            if isinstance(found, Mapping):
                inline.append(found)
            elif found is not None:
                managed.append(found)
            else:
                complete = False
        entries: dict[str, Value] = {
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": Many(tuple(managed), self.span, complete=complete),
        }
        if inline or not complete:
            entries["Policies"] = Many(tuple(inline), self.span, complete=complete)
        for own, name in (("PermissionsBoundary", "PermissionsBoundary"), ("RolePath", "Path")):
            value = self.get(own)
            if value is not None:
                entries[name] = value
        return Mapping(entries, self.span)

    def _trust(self, service: str) -> Mapping:
        statement = Mapping(
            {
                "Effect": self._text("Allow"),
                "Principal": Mapping({"Service": self._text(service)}, self.span),
                "Action": self._text("sts:AssumeRole"),
            },
            self.span,
        )
        return Mapping(
            {"Version": self._text("2012-10-17"), "Statement": Many((statement,), self.span)},
            self.span,
        )

    def _policy(self, value: Value, name: str) -> Value | None:
        """One entry of ``Policies``: an inline policy, the ARN of a policy, or ``None``: not known."""
        span = value.span or self.span
        if isinstance(value, Mapping):
            if "Statement" in value.entries or "Version" in value.entries:
                return self._inline(name, value, span)
            if len(value.entries) == 1:
                template, parameters = next(iter(value.entries.items()))
                if template.endswith("Policy") and isinstance(parameters, Mapping):
                    document = self._from_template(template, parameters, span)
                    return None if document is None else self._inline(name, document, span)
            return None
        text = known_text(value)
        if text is not None and not text.startswith("arn:"):
            found = self._managed(text, span)
            return found.through(*value.via) if value.via else found
        if isinstance(value, OneOf) and any(
            isinstance(a.value, Mapping) for a in value.alternatives
        ):
            return None
        return value

    def _inline(self, name: str, document: Value, span: Span) -> Mapping:
        return Mapping({"PolicyName": self._text(name, span), "PolicyDocument": document}, span)

    def _from_template(self, name: str, parameters: Mapping, span: Span) -> Mapping | None:
        """The document that one of SAM's policy templates stands for."""
        rows = tables.sam_policies().get(name)
        if rows is None:
            self.evaluator.note(Unknown(Reason.MACRO, name, span))
            return None
        scope = Scope(self.made.address)

        def filled(text: str) -> Value:
            if "${" not in text:
                return Known(text, span)
            document = span.document
            piece = Piece(text, document, span.start, span.end)
            return self.evaluator.sub(
                Known(text, span, (), (piece,)), scope, span, parameters.entries
            )

        statements = []
        for row in rows:
            entries: dict[str, Value] = {
                "Effect": self._text("Allow", span),
                "Action": Many(tuple([Known(text, span) for text in row["actions"]]), span),
                "Resource": Many(tuple([filled(text) for text in row["resources"]]), span),
            }
            if "condition" in row:
                entries["Condition"] = _conditions(row["condition"], filled, span)
            statements.append(Mapping(entries, span))
        words = Evidence(Step.LOCAL, f"SAM's policy template {name}", span)
        return Mapping(
            {"Version": self._text("2012-10-17", span), "Statement": Many(tuple(statements), span)},
            span,
            (words,),
        )

    # Rollout

    def rollout(self) -> Iterator[Resource]:
        """The deployment group that shifts traffic to a new version."""
        given = self.get("DeploymentPreference")
        alias = self.get("AutoPublishAlias")
        if not isinstance(given, Mapping) or alias is None:
            return
        enabled = given.get("Enabled")
        if isinstance(enabled, Known) and str(enabled.data).lower() == "false":
            return
        yield self._make(
            "DeploymentGroup",
            "AWS::CodeDeploy::DeploymentGroup",
            lambda: self._deployment_group(given),
            given.span,
        )

    def _deployment_group(self, given: Mapping) -> Mapping:
        entries: dict[str, Value] = {}
        kind = given.get("Type")
        if kind is not None:
            entries["DeploymentConfigName"] = values.distribute(kind, _configuration)
        alarms = given.get("Alarms")
        if alarms is not None:
            on = Known(data=True, span=alarms.span)
            entries["AlarmConfiguration"] = Mapping({"Enabled": on, "Alarms": alarms}, alarms.span)
        for own, name in (
            ("Role", "ServiceRoleArn"),
            ("TriggerConfigurations", "TriggerConfigurations"),
        ):
            value = given.get(own)
            if value is not None:
                entries[name] = value
        span = given.span or self.span
        entries["DeploymentStyle"] = Mapping(
            {
                "DeploymentType": self._text("BLUE_GREEN", span),
                "DeploymentOption": self._text("WITH_TRAFFIC_CONTROL", span),
            },
            span,
        )
        entries["AutoRollbackConfiguration"] = Mapping(
            {
                "Enabled": Known(data=True, span=span),
                "Events": Many(
                    tuple(
                        [
                            self._text(f"DEPLOYMENT_{event}", span)
                            for event in ("FAILURE", "STOP_ON_ALARM", "STOP_ON_REQUEST")
                        ]
                    ),
                    span,
                ),
            },
            span,
        )
        return Mapping(entries, span, given.via)

    # Callers

    def address(self) -> Iterator[Resource]:
        """The address of a function on the internet, and who may call it there."""
        given = self.get("FunctionUrlConfig")
        if not isinstance(given, Mapping):
            return
        target = values.reference(self.made.name, given.span)

        def url() -> Mapping:
            entries: dict[str, Value] = {"TargetFunctionArn": target, **given.entries}
            return Mapping(entries, given.span, given.via, key_spans=given.key_spans)

        yield self._make("Url", "AWS::Lambda::Url", url, given.span)
        open_to_all = given.get("AuthType")
        if known_text(open_to_all) == "NONE":
            assert open_to_all is not None

            def permission() -> Mapping:
                span = open_to_all.span or given.span
                return Mapping(
                    {
                        "Action": Known("lambda:InvokeFunctionUrl", span),
                        "FunctionName": target,
                        "FunctionUrlAuthType": open_to_all,
                        "Principal": Known("*", span),
                    },
                    given.span,
                    given.via,
                )

            yield self._make(
                "UrlPublicPermissions", "AWS::Lambda::Permission", permission, given.span
            )

    def events(self) -> Iterator[Resource]:
        """What calls the function, and what it reads."""
        given = self.get("Events")
        if not isinstance(given, Mapping):
            return
        for name, event in given.entries.items():
            kind = known_text(event.get("Type")) if isinstance(event, Mapping) else None
            settings = event.get("Properties") if isinstance(event, Mapping) else None
            if kind is None:
                continue
            span = given.key_spans.get(name) or event.span
            settings = settings if isinstance(settings, Mapping) else Mapping({}, span)
            if kind in _POLLED:
                yield self._make(name, "AWS::Lambda::EventSourceMapping", settings, span)
                continue
            if kind in _RULES:
                yield self._make(name, "AWS::Events::Rule", _rule(settings), span)
            elif kind == "SNS":
                yield self._make(name, "AWS::SNS::Subscription", _subscription(settings), span)
            service = _CALLERS.get(kind)
            if service is not None:
                yield self._make(
                    f"{name}Permission",
                    "AWS::Lambda::Permission",
                    self._permission(kind, service, name, span),
                    span,
                )

    def _permission(self, kind: str, service: str, name: str, span: Span | None) -> Mapping:
        entries: dict[str, Value] = {
            "Action": Known("lambda:InvokeFunction", span),
            "FunctionName": values.reference(self.made.name, span),
            "Principal": Known(service, span),
        }
        if kind in _NARROWED:
            entries["SourceArn"] = values.attribute(f"{self.made.name}{name}", "Arn", span)
        if kind == "S3":
            entries["SourceAccount"] = values.pseudo(values.ACCOUNT, self.evaluator.place, span)
        return Mapping(entries, span)


def _configuration(value: Value) -> Value:
    """The name of the deployment configuration that a type of ``DeploymentPreference`` stands for."""
    text = known_text(value)
    if text is None or not text.startswith(_PREDEFINED):
        return value
    return Known(f"CodeDeployDefault.Lambda{text}", value.span, value.via)


def _rule(settings: Mapping) -> Mapping:
    entries = dict(settings.entries)
    if "Schedule" in entries:
        entries.setdefault("ScheduleExpression", entries["Schedule"])
    if "Pattern" in entries:
        entries.setdefault("EventPattern", entries["Pattern"])
    return Mapping(entries, settings.span, settings.via, key_spans=settings.key_spans)


def _subscription(settings: Mapping) -> Mapping:
    entries = dict(settings.entries)
    if "Topic" in entries:
        entries.setdefault("TopicArn", entries["Topic"])
    return Mapping(entries, settings.span, settings.via, key_spans=settings.key_spans)


def _conditions(
    given: AbstractMapping[str, AbstractMapping[str, Any]],
    filled: Callable[[str], Value],
    span: Span,
) -> Mapping:
    operators: dict[str, Value] = {}
    for operator, keys in given.items():
        entries: dict[str, Value] = {}
        for key, texts in keys.items():
            if isinstance(texts, list):
                entries[key] = Many(tuple([filled(str(text)) for text in texts]), span)
            else:
                entries[key] = filled(str(texts))
        operators[operator] = Mapping(entries, span)
    return Mapping(operators, span)
