"""Names and keys of an import: nothing is lost because two of them look alike."""

from shared.storage.store import StoredObject
from worker.jobs.importing import MAX_KEY_BYTES, name_objects, storable

COMPOSED, DECOMPOSED = "a/\u00e9.jpg", "a/e\u0301.jpg"


def objects(*keys: str) -> list[StoredObject]:
    return [StoredObject(key, 4, "") for key in keys]


def test_each_key_has_a_name_of_its_own() -> None:
    names = name_objects(objects("a/1.jpg", "a//1.jpg", "a///1.jpg", "a/1~2.jpg", COMPOSED, DECOMPOSED), "a", {})
    assert list(names.values()) == ["1.jpg", "1~2.jpg", "1~3.jpg", "1~2~2.jpg", "\u00e9.jpg", "e\u0301~2.jpg"]


def test_a_prefix_that_is_a_whole_key_leaves_the_key_as_the_name() -> None:
    assert name_objects(objects("a/1.jpg", "a/1.jpga/1.jpg"), "a/1.jpg", {}) == {
        "a/1.jpg": "a/1.jpg",
        "a/1.jpga/1.jpg": "a/1~2.jpg",
    }


def test_what_has_a_name_already_keeps_it() -> None:
    assert name_objects(objects("a//1.jpg", "a/1.jpg"), "a/", {"a/1.jpg": "1.jpg"}) == {"a//1.jpg": "1~2.jpg"}


def test_keys_that_cannot_be_stored_stay_apart_and_have_a_reason() -> None:
    long = "k" * MAX_KEY_BYTES
    given = objects("a\0.jpg", "a\ufffd.jpg", "a\ud800.jpg", "good.jpg", "good.jpg", f"{long}.jpg", f"{long}.png")
    kept, unusable = storable(given)
    keys = [one.key for one in kept]
    assert keys == ["a\ufffd.jpg", "good.jpg", "a\ufffd~2.jpg", "a\ufffd~3.jpg", long, f"{long}~2"]
    assert set(unusable) == set(keys[2:])
    assert all("\0" not in key and key.encode() for key in keys)
