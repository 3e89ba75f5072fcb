"""The tables, as SQLAlchemy Core sees them.

`org_id` stands on every tenant table and in every foreign key between them, so that a row can only point within its
own organization. What is hash-partitioned by job carries no foreign key: a key check per row would lock the job row
once per ligand, and a deleted job's rows go by sweep. Text that is ordered is `COLLATE "C"`, so that order never
depends on the server's locale.
"""

from molecular_analysis_dashboard.adapters.persistence.tables.catalog import (
    binding_sites,
    libraries,
    ligands,
    protocols,
    receptors,
    rejections,
    structures,
)
from molecular_analysis_dashboard.adapters.persistence.tables.columns import Xid8, metadata
from molecular_analysis_dashboard.adapters.persistence.tables.identity import (
    api_tokens,
    audit_log,
    memberships,
    organizations,
    users,
)
from molecular_analysis_dashboard.adapters.persistence.tables.ledger import (
    attempts,
    docking_cache,
    events,
    jobs,
    leases,
    tasks,
    workers,
)
from molecular_analysis_dashboard.adapters.persistence.tables.rescoring import (
    rescored_ligands,
    rescored_poses,
    rescorings,
)
from molecular_analysis_dashboard.adapters.persistence.tables.results import (
    SIZE_CORRECTED,
    interactions,
    ligand_states,
    pose_analyses,
    poses,
    results,
)
from molecular_analysis_dashboard.adapters.persistence.tables.validation import (
    redocking_poses,
    redocking_runs,
    redockings,
    validations,
)

__all__ = [
    "PARTITIONED",
    "SIZE_CORRECTED",
    "TENANT_TABLES",
    "Xid8",
    "api_tokens",
    "attempts",
    "audit_log",
    "binding_sites",
    "docking_cache",
    "events",
    "interactions",
    "jobs",
    "leases",
    "libraries",
    "ligand_states",
    "ligands",
    "memberships",
    "metadata",
    "organizations",
    "pose_analyses",
    "poses",
    "protocols",
    "receptors",
    "redocking_poses",
    "redocking_runs",
    "redockings",
    "rejections",
    "rescored_ligands",
    "rescored_poses",
    "rescorings",
    "results",
    "structures",
    "tasks",
    "users",
    "validations",
    "workers",
]

TENANT_TABLES = tuple(table.name for table in metadata.sorted_tables if "org_id" in table.columns)
PARTITIONED = tuple(
    table.name for table in metadata.sorted_tables if table.dialect_options["postgresql"]["partition_by"]
)
