from api.fields import classifier_ref


def test_classifiers_are_named_with_or_without_a_version() -> None:
    assert classifier_ref("leaf").model_dump() == {"name": "leaf", "version": None}
    assert classifier_ref("leaf@1.2").model_dump() == {"name": "leaf", "version": "1.2"}
