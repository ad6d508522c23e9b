"""Judgements over facts. `DETECTORS` is the only table of them; importing has no other effect.

A detector is a function of `Facts`: it reads no source, knows no language and keeps no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from blastdoor.detect import (
    account,
    binding,
    grant,
    guard,
    override,
    place,
    region,
    replacement,
    rollout,
    shared,
)

if TYPE_CHECKING:
    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Facts

Detector = Callable[["Facts"], "Iterable[Hit]"]

DETECTORS: Mapping[str, Detector] = {
    "override.wildcard-override-key": override.wildcard_override_key,
    "override.global-flag-enabled": override.global_flag_enabled,
    "override.broad-layer-merged-last": override.broad_layer_merged_last,
    "override.override-fanned-out": override.override_fanned_out,
    "override.terraform-override-file": override.terraform_override_file,
    "override.authoritative-replacement": replacement.authoritative_replacement,
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
    "region.gcp-location-missing": place.gcp_location_missing,
    "region.gcp-multi-region-location": place.gcp_multi_region_location,
    "region.azure-location-diverges": place.azure_location_diverges,
    "account.organization-root-target": account.organization_root_target,
    "account.unconditional-deny-all": account.unconditional_deny_all,
    "account.gcp-org-or-folder-binding": binding.gcp_org_or_folder_binding,
    "account.azure-broad-scope-assignment": binding.azure_broad_scope_assignment,
    "grant.admin-grant": grant.admin_grant,
    "grant.write-on-all-resources": grant.write_on_all_resources,
    "grant.public-principal": grant.public_principal,
    "grant.gcp-public-member": binding.gcp_public_member,
    "grant.gcp-basic-role-project": binding.gcp_basic_role_project,
    "guard.deletion-protection-off": guard.deletion_protection_off,
    "guard.data-kept-by-force-lost": guard.data_kept_by_force_lost,
    "guard.all-drift-ignored": guard.all_drift_ignored,
    "guard.shared-api-disabled": shared.shared_api_disabled,
    "rollout.all-at-once": rollout.all_at_once,
}
