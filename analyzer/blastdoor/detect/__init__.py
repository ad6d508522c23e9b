"""Judgements over facts. `DETECTORS` is the only table of them; importing has no other effect.

A detector is a function of `Facts`: it reads no source, knows no language and keeps no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from blastdoor.detect import (
    account,
    binding,
    breadth,
    call,
    command,
    construct,
    environment,
    grant,
    guard,
    hardcoded,
    network,
    override,
    place,
    placement,
    region,
    replacement,
    rollout,
    shared,
    sharing,
    takeover,
    trust,
)

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
    "hardcoded.hardcoded-partition": hardcoded.hardcoded_partition,
    "hardcoded.hardcoded-ami": hardcoded.hardcoded_ami,
    "hardcoded.literal-name-in-multi-region-unit": hardcoded.literal_name_in_multi_region_unit,
    "hardcoded.hardcoded-endpoint-region": hardcoded.hardcoded_endpoint_region,
    "hardcoded.region-fallback": hardcoded.region_fallback,
    "placement.arn-region-missing": placement.arn_region_missing,
    "placement.legacy-global-endpoint": placement.legacy_global_endpoint,
    "placement.resource-region-override-split": placement.resource_region_override_split,
    "placement.type-unavailable-in-target-region": placement.type_unavailable_in_target_region,
    "call.region-loop-mutates": call.region_loop_mutates,
    "call.client-region-unset": call.client_region_unset,
    "call.process-wide-cloud-context": call.process_wide_cloud_context,
    "call.ineffective-region-variable": call.ineffective_region_variable,
    "call.bulk-settings-overwrite": call.bulk_settings_overwrite,
    "call.stackset-updates-everything": call.stackset_updates_everything,
    "construct.app-wide-mutation": construct.app_wide_mutation,
    "construct.escape-hatch-on-guard": construct.escape_hatch_on_guard,
    "construct.stack-without-environment": construct.stack_without_environment,
    "account.organization-root-target": account.organization_root_target,
    "account.unconditional-deny-all": account.unconditional_deny_all,
    "account.stackset-autodeploy-unbounded": account.stackset_autodeploy_unbounded,
    "account.external-sharing-allowed": sharing.external_sharing_allowed,
    "account.account-guard-missing": account.account_guard_missing,
    "grant.admin-grant": grant.admin_grant,
    "grant.write-on-all-resources": grant.write_on_all_resources,
    "grant.public-principal": grant.public_principal,
    "grant.service-wide-grant": breadth.service_wide_grant,
    "grant.inverse-allow": breadth.inverse_allow,
    "grant.passrole-any": breadth.passrole_any,
    "grant.broad-trust": trust.broad_trust,
    "grant.shared-with-everyone": sharing.shared_with_everyone,
    "guard.deletion-protection-off": guard.deletion_protection_off,
    "guard.data-kept-by-force-lost": guard.data_kept_by_force_lost,
    "guard.stateful-resource-disposable": guard.stateful_resource_disposable,
    "guard.all-drift-ignored": guard.all_drift_ignored,
    "guard.account-default-weakened": guard.account_default_weakened,
    "override.unknown-environment-becomes-prod": environment.unknown_environment_becomes_prod,
    "override.foreign-object-takeover": takeover.foreign_object_takeover,
    "region.gcp-location-missing": place.gcp_location_missing,
    "region.gcp-multi-region-location": place.gcp_multi_region_location,
    "region.azure-location-diverges": place.azure_location_diverges,
    "account.gcp-org-or-folder-binding": binding.gcp_org_or_folder_binding,
    "account.azure-broad-scope-assignment": binding.azure_broad_scope_assignment,
    "grant.gcp-public-member": binding.gcp_public_member,
    "grant.gcp-basic-role-project": binding.gcp_basic_role_project,
    "guard.shared-api-disabled": shared.shared_api_disabled,
    "guard.rollback-disabled": guard.rollback_disabled,
    "guard.lockout-or-retention-bypass": guard.lockout_or_retention_bypass,
    "guard.backup-disabled": guard.backup_disabled,
    "guard.immediate-risky-apply": guard.immediate_risky_apply,
    "guard.provider-validation-skipped": guard.provider_validation_skipped,
    "guard.stack-policy-open": guard.stack_policy_open,
    "command.destroy-command": command.destroy_command,
    "command.unattended-apply": command.unattended_apply,
    "network.open-ingress-all": network.open_ingress_all,
    "network.open-ingress-admin-port": network.open_ingress_admin_port,
    "network.open-ingress-other": network.open_ingress_other,
    "network.public-endpoint-enabled": network.public_endpoint_enabled,
    "rollout.all-at-once": rollout.all_at_once,
    "rollout.zero-healthy-floor": rollout.zero_healthy_floor,
    "rollout.parallel-or-unbounded-stackset": rollout.parallel_or_unbounded_stackset,
    "rollout.fleet-wide-command": rollout.fleet_wide_command,
    "rollout.no-alarm-or-bake": rollout.no_alarm_or_bake,
}

DELTA_DETECTORS: Final = frozenset(
    {
        "widening.regions-widened",
        "widening.partition-crossed",
        "widening.accounts-widened",
        "widening.principals-widened",
        "widening.actions-widened",
        "widening.resources-widened",
        "widening.network-widened",
        "widening.condition-dropped",
        "widening.unknown-reach",
        "region.region-condition-removed",
        "region.new-replica-region",
        "widening.environment-widened",
        "guard.lifecycle-guard-removed",
        "guard.stateful-replacement",
        "account.account-guard-missing",
        "guard.account-default-weakened",
        "guard.backup-disabled",
        "guard.data-kept-by-force-lost",
        "guard.deletion-protection-off",
        "guard.immediate-risky-apply",
        "guard.lockout-or-retention-bypass",
        "guard.rollback-disabled",
        "network.public-endpoint-enabled",
        "override.flag-widened",
        "override.foreign-object-takeover",
        "override.provider-wide-setting-changed",
        "rollout.change-spans-scopes",
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
