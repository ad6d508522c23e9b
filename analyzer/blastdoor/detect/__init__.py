"""Judgements over facts. `DETECTORS` is the only table of them; importing has no other effect.

A detector is a function of `Facts`: it reads no source, knows no language and keeps no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from blastdoor.detect import account, grant, guard, override, region, rollout

if TYPE_CHECKING:
    from blastdoor.delta.compare import Delta
    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Facts

Detector = Callable[["Facts"], "Iterable[Hit]"]
DeltaDetector = Callable[["Sequence[Delta]"], "Iterable[Hit]"]

DETECTORS: Mapping[str, Detector] = {
    "override.wildcard-override-key": override.wildcard_override_key,
    "override.global-flag-enabled": override.global_flag_enabled,
    "override.broad-layer-merged-last": override.broad_layer_merged_last,
    "override.override-fanned-out": override.override_fanned_out,
    "override.terraform-override-file": override.terraform_override_file,
    "region.provider-region-unset": region.provider_region_unset,
    "region.no-default-provider-selected": region.no_default_provider_selected,
    "region.module-without-providers-map": region.module_without_providers_map,
    "region.name-region-mismatch": region.name_region_mismatch,
    "region.partition-mismatch": region.partition_mismatch,
    "region.hardcoded-region-in-multi-region-unit": region.hardcoded_region_in_multi_region_unit,
    "region.mapping-lacks-target-region": region.mapping_lacks_target_region,
    "region.every-region-target": region.every_region_target,
    "region.unknown-region": region.unknown_region,
    "region.global-part-in-wrong-region": region.global_part_in_wrong_region,
    "region.arn-region-wildcard": region.arn_region_wildcard,
    "region.region-deny-without-global-exemption": region.region_deny_without_global_exemption,
    "region.mixed-partitions": region.mixed_partitions,
    "account.organization-root-target": account.organization_root_target,
    "account.unconditional-deny-all": account.unconditional_deny_all,
    "grant.admin-grant": grant.admin_grant,
    "grant.write-on-all-resources": grant.write_on_all_resources,
    "grant.public-principal": grant.public_principal,
    "guard.deletion-protection-off": guard.deletion_protection_off,
    "guard.data-kept-by-force-lost": guard.data_kept_by_force_lost,
    "guard.all-drift-ignored": guard.all_drift_ignored,
    "rollout.all-at-once": rollout.all_at_once,
}

DELTA_DETECTORS: Final = frozenset(
    {
        "widening.regions-widened",
        "widening.partition-crossed",
        "widening.accounts-widened",
        "widening.principals-widened",
        "widening.actions-widened",
        "widening.resources-widened",
        "widening.condition-dropped",
        "widening.unknown-reach",
        "region.region-condition-removed",
        "region.new-replica-region",
        "guard.lifecycle-guard-removed",
        "guard.stateful-replacement",
        "guard.deletion-protection-off",
        "guard.data-kept-by-force-lost",
        "rollout.step-enlarged",
    }
)
"""The detectors of `delta_detector`: they judge two revisions.

A rule whose modes hold ``diff`` may have one here and one above.
"""

KNOWN: Final = frozenset({*DETECTORS, *DELTA_DETECTORS})
"""Every detector that a page may name."""


def delta_detector(name: str) -> DeltaDetector:
    """The judgement over deltas of that name. Raises KeyError when there is none.

    It is looked up late: nothing of two revisions is imported for a look at one.
    """
    if name not in DELTA_DETECTORS:
        raise KeyError(name)
    from blastdoor.detect import widening

    found: DeltaDetector = getattr(widening, name.partition(".")[2].replace("-", "_"))
    return found
