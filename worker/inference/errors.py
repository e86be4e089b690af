"""Errors between a file and its classification.

ImageError                  one image cannot be classified, permanently; code says why
ClassifierError             the classifier cannot be used; no image is to blame
|- ClassifierNotFound       the folder or one of its files is not there
|- ManifestInvalid          manifest.json is not a manifest
|- ModelFileChanged         model.keras is not the file that the manifest names
|- ModelUnusable            Keras cannot open it, or its inputs or outputs do not fit the manifest
|- OutputInvalid            the model answered with numbers that are not probabilities
"""

from shared.contracts.states import ImageErrorCode


class ImageError(Exception):
    """One image has no classification, and the same bytes would fail again.

    ``code`` is stable; ``detail`` is a sentence for the person who uploaded the image.
    """

    def __init__(self, code: ImageErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class ClassifierError(Exception):
    """Base of the errors that make a classifier unusable. ``str(error)`` says what to do."""


class ClassifierNotFound(ClassifierError):
    """The folder, its ``manifest.json`` or its ``model.keras`` is not there."""


class ManifestInvalid(ClassifierError):
    """``manifest.json`` is not JSON, or not a manifest."""


class ModelFileChanged(ClassifierError):
    """The SHA-256 of ``model.keras`` is not the one in the manifest."""


class ModelUnusable(ClassifierError):
    """Keras refuses the file, or the model does not fit its manifest."""


class OutputInvalid(ClassifierError):
    """The model answered with NaN, infinity or numbers that do not add up to one: a bug, never the image's fault."""
