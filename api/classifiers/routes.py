"""``/v1/classifiers``: the classifiers that jobs can ask for, and what their answers mean.

``/v1/models`` is its older name, kept for clients that rely on it.
"""

from fastapi import Depends, Response

from api.answers import answer, problems
from api.auth import Requires
from api.classifiers.schemas import ClassifierList, ClassifierOut, ModelList, classifier_details
from api.deps import ServicesDep
from api.routing import Router
from api.services import Services
from shared.classifiers import registry
from shared.contracts.states import Scope

router = Router(prefix="/v1", tags=["classifiers"], dependencies=[Depends(Requires(Scope.READ))])


@router.get(
    "/classifiers",
    operation_id="list_classifiers",
    summary="List classifiers",
    response_model=ClassifierList,
    responses=problems(),
)
def list_classifiers(services: ServicesDep) -> Response:
    """List the classifiers that every tenant may use; a job that names none gets the default."""
    return answer(ClassifierList(classifiers=_read(services)))


@router.get(
    "/models",
    operation_id="list_models",
    summary="List classifiers (older name)",
    response_model=ModelList,
    responses=problems(),
    deprecated=True,
)
def list_models(services: ServicesDep) -> Response:
    """Use `GET /v1/classifiers`, which answers the same under the key `classifiers`."""
    return answer(ModelList(models=_read(services)))


def _read(services: Services) -> list[ClassifierOut]:
    with services.database.begin() as session:
        return [classifier_details(classifier) for classifier in registry.list_classifiers(session)]
