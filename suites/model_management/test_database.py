"""The database lends its connections, and has every table and column that the code uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.python import Call

TABLES = {
    "models": "model_id model_name model_type provider use_case version status model_path configuration "
    "performance_metrics resource_requirements created_at updated_at",
    "model_historical_logs": "log_id model_id use_case prompt context generated_output user_feedback corrected_output "
    "performance_metrics timestamp",
    "model_snapshots": "snapshot_id model_id snapshot_name model_state_path configuration performance_metrics "
    "traffic_allocation created_at",
    "guardrails_violations": "violation_id model_id violation_type severity violation_details output_sample "
    "intervention_taken timestamp",
    "model_deployments": "deployment_id model_id deployment_type status traffic_percentage start_time completion_time "
    "rollback_reason",
    "fine_tuning_jobs": "job_id model_id base_model_id use_case training_data_source status training_configuration "
    "training_metrics fine_tuned_model_path started_at completed_at created_at",
    "model_test_results": "test_id candidate_model_id current_model_id test_type similarity_score performance_score "
    "safety_passed test_details meets_threshold created_at",
}


@pytest.mark.item("MMS-018")
def test_the_pool_lends_connections_and_gets_them_back(pool_use: Call) -> None:
    """Six times in a row twenty connections at once answer, so that none of them is lost."""
    assert pool_use.result["raised"] == [""] * 6
    assert pool_use.result["answered"] == [[1] * 20] * 6


@pytest.mark.item("MMS-018")
def test_lookups_give_their_connections_back(pool_use: Call) -> None:
    """After sixty lookups each of a current model, of none, and of an impossible id the pool still lends."""
    assert (pool_use.result["looked_up"], pool_use.result["lent"]) == ([], 1)


@pytest.mark.item("MMS-075")
def test_all_tables_have_the_columns_that_the_code_uses(rows: Snapshot) -> None:
    """Each table of registry, log, guardrails, deployments and tests has every column the code names."""
    wanted = {f"{table}.{column}" for table, columns in TABLES.items() for column in columns.split()}
    assert wanted - set(rows["columns"].column("name")) == set()
