"""``/v1/models``: which classifiers there are, and what their answers mean."""

from fastapi import Depends, Response

from api.answers import answer, problems
from api.auth import Requires
from api.classifiers.schemas import ModelList, model_out
from api.deps import ServicesDep
from api.routing import Router
from shared.classifiers.registry import list_classifiers
from shared.contracts.states import Scope

router = Router(prefix="/v1/models", tags=["models"], dependencies=[Depends(Requires(Scope.READ))])


@router.get("", operation_id="list_models", summary="List models", response_model=ModelList, responses=problems())
def list_models(services: ServicesDep) -> Response:
    """The same for every tenant."""
    with services.database.begin() as session:
        found = list_classifiers(session)
    return answer(ModelList(models=[model_out(classifier) for classifier in found]))
