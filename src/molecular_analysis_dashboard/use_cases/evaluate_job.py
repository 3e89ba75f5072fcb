"""The last task of a redocking, validation or rescoring: what all its results together say."""

from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, Job, JobKind
from molecular_analysis_dashboard.domain.redocking import RedockingVerdict
from molecular_analysis_dashboard.ports.rescoring import Comparison
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.ports.validation import Evaluation
from molecular_analysis_dashboard.use_cases.heartbeat import Watch


class EvaluateJob:
    """Handles tasks of kind ``evaluate``; doing it again gives the same."""

    def __init__(self, database: Database, evaluate: Evaluation, compare: Comparison) -> None:
        self._database = database
        self._evaluate = evaluate
        self._compare = compare

    def __call__(self, task: ClaimedTask, watch: Watch) -> None:
        """Conclude, and store it."""
        del watch
        with self._database.begin(TenantScope(task.org_id)) as uow:
            job = uow.jobs.get(task.job_id)
        match job.kind:
            case JobKind.REDOCK:
                self._judge(task)
            case JobKind.VALIDATE:
                self._measure(task, job)
            case JobKind.RESCORE:
                self._compare_ranks(task)
            case _:
                raise EngineFailed(f"A {job.kind} job has nothing to evaluate.", code="job_incomplete")

    def _judge(self, task: ClaimedTask) -> None:
        with self._database.begin(TenantScope(task.org_id)) as uow:
            uow.ledger.own(task)
            verdict = RedockingVerdict.of(uow.redockings.runs(task.job_id))
            uow.redockings.judge(task.job_id, verdict)
            uow.jobs.add_event(task.job_id, "redocking.judged", {"verdict": verdict.verdict})
            uow.commit()

    def _measure(self, task: ClaimedTask, job: Job) -> None:
        scope = TenantScope(task.org_id)
        with self._database.begin(scope) as uow:
            molecules = uow.validations.molecules(job.id)
        enrichment = self._evaluate(molecules, seed=int(str(job.spec["seed"])))
        with self._database.begin(scope) as uow:
            uow.ledger.own(task)
            uow.validations.save(job.id, enrichment)
            uow.jobs.add_event(job.id, "validation.evaluated", {"roc_auc": enrichment.docking.roc_auc.value})
            uow.commit()

    def _compare_ranks(self, task: ClaimedTask) -> None:
        scope = TenantScope(task.org_id)
        with self._database.begin(scope) as uow:
            scores = uow.rescorings.scores(task.job_id)
        agreement = self._compare(scores)
        with self._database.begin(scope) as uow:
            uow.ledger.own(task)
            uow.rescorings.conclude(task.job_id, agreement)
            uow.jobs.add_event(task.job_id, "rescoring.compared", agreement.as_json())
            uow.commit()
