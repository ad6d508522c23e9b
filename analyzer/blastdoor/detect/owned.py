"""What a unit makes itself, to tell one's own projects, folders and roles from those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.value import Unknown

if TYPE_CHECKING:
    from blastdoor.fact import Facts, Resource
    from blastdoor.value import Key, Value


class Owned:
    """The projects and folders that a unit makes, to tell one's own from those of others."""

    def __init__(self, facts: Facts) -> None:
        self._addresses: set[str] = set()
        self._ids: set[tuple[str, Key]] = set()
        for resource in facts.unit.resources:
            if resource.type not in ("google_project", "google_folder") or resource.is_data:
                continue
            self._addresses.add(resource.address)
            own = resource.get("project_id")
            if own is not None:
                self._ids.add((module_of(resource), own.key()))

    def has_project_of(self, resource: Resource) -> bool:
        """Whether the project that a resource is in is made in the same module."""
        return self.has(resource, resource.account, "google_project")

    def has(self, user: Resource, scope: Value | None, type_: str) -> bool:
        """Whether the scope that a resource names is made in the same module."""
        if not self._addresses or scope is None:
            return False
        prefix = module_of(user)
        if isinstance(scope, Unknown):
            owner = ".".join(scope.subject.split(".")[:2])
            return owner.startswith(f"{type_}.") and f"{prefix}{owner}" in self._addresses
        return (prefix, scope.key()) in self._ids


def module_of(resource: Resource) -> str:
    """The address of the module instance that a resource is in, with a dot behind it."""
    return resource.address[: len(resource.address) - len(f"{resource.type}.{resource.name}")]
