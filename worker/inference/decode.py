"""Encoded bytes to an RGB picture, or an ``ImageError`` with the reason.

The rules are those of ``keras.utils.load_img``: the first frame, ``convert("RGB")`` whatever the mode (alpha is
dropped, CMYK is converted without a profile, 16-bit greyscale is converted as Pillow does it), no EXIF orientation.
Stricter than Keras: only five formats are opened, structure and size are checked before any pixel is decoded, the
decoder of an ordinary file sees only what its pixels need, and each failure gets a code and a sentence.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

# Importing them registers the decoders. Image.init() would do it too, and would also import forty that are never used.
from PIL import (
    BmpImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.signatures import describe, ends_early, has_supported_signature, is_zero_filled
from worker.inference.structure import Structure, describe_form, inspect
from worker.inference.structure.structure import check_size
from worker.inference.structure.webp import webp_size

# JPEG contains MPO, a JPEG with more pictures behind it that DJI drones and phones write: the first one is read.
FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        TiffImagePlugin.TiffImageFile,
        WebPImagePlugin.WebPImageFile,
        BmpImagePlugin.BmpImageFile,
    )
)

# The limit is ours and exact (see open_image); Pillow's is a warning in a global.
Image.MAX_IMAGE_PIXELS = None
# Pillow warns about odd metadata. The picture is what counts here, and warnings.catch_warnings is not thread-safe,
# so this one filter, for warnings that Pillow's own modules raise, is set once.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# Everything that Pillow's plugins are documented or known to raise for damaged files.
_DECODER_ERRORS = (
    OSError,  # contains UnidentifiedImageError
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UserWarning,  # A warning of Pillow's, where the process was told to raise warnings.
    struct.error,
    zlib.error,
)
_UNSUPPORTED_BMP = "Unsupported BMP"  # begins what Pillow says of them
_SUPPORTED = "upload JPEG, PNG, TIFF, WebP or BMP."
NO_MEMORY, SMALLER = "There was not enough memory to decode the picture", "make it smaller, or export it again."
# Of a pixel, in decoder and Pillow together: WebP takes 13 to 18, a progressive JPEG of four inks 12.
_DECODED_BYTES = 16
_TRUNCATED = "The file ends in the middle of the picture; upload it again."


@contextmanager
def open_image(
    data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS, structure: Structure | None = None
) -> Iterator[Image.Image]:
    """Open the header of an encoded image; errors that Pillow raises inside the ``with`` become ``ImageError`` too.

    Args:
        data: the whole file.
        limits: what the picture may cost.
        structure: of an ordinary picture that has been inspected already.

    Raises:
        ImageError: ``empty``, ``unsupported_format``, ``too_many_pixels``, ``too_costly``, ``truncated`` or
            ``decode_failed``.
    """
    if structure is None:
        structure = inspect_file(data, limits)
    size = webp_size(data)  # Its decoder wants memory before Pillow knows the size.
    try:
        with Image.open(io.BytesIO(structure.essential if structure else data), formats=FORMATS) as image:
            size = image.size
            check_size(*size, limits)
            yield image
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(ImageErrorCode.TOO_COSTLY, f"{NO_MEMORY}; {SMALLER}") from error
    except _DECODER_ERRORS as error:
        known = _image_error(data, error)
        if known.code is ImageErrorCode.DECODE_FAILED and _may_lack_memory(size, limits):
            detail = f"{NO_MEMORY} of {size[0]} x {size[1]} pixels, or it is damaged; {SMALLER}"
            known = ImageError(ImageErrorCode.TOO_COSTLY, detail)
        raise known from error


def inspect_file(data: bytes, limits: PictureLimits) -> Structure | None:
    """Inspect a file before anything is decoded; return None if it is unusual (see ``structure.inspect``).

    Raises:
        ImageError: ``empty``, ``unsupported_format`` by the first bytes, ``truncated`` if the end was never written,
            or as ``structure.inspect``.
    """
    if not data:
        raise ImageError(ImageErrorCode.EMPTY, "The file is empty (0 bytes); upload it again.")
    if is_zero_filled(data):
        raise ImageError(ImageErrorCode.TRUNCATED, _TRUNCATED)
    if not has_supported_signature(data):
        raise ImageError(ImageErrorCode.UNSUPPORTED_FORMAT, f"The file is {describe(data)}; {_SUPPORTED}")
    return inspect(data, limits)


def decode(data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decode encoded bytes to pixels: uint8, (height, width, 3), RGB, values 0 to 255.

    Raises:
        ImageError: as ``open_image``.
    """
    with open_image(data, limits=limits) as image:
        return np.asarray(to_rgb(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """Decode the picture and convert it to mode RGB, exactly as ``keras.utils.load_img`` does."""
    if image.mode == "RGB":
        image.load()
        return image
    return image.convert("RGB")


def _may_lack_memory(size: tuple[int, int], limits: PictureLimits) -> bool:
    """Return True for a picture so large that memory may have run out: most decoders then call the file broken."""
    return limits.memory_bytes is not None and _DECODED_BYTES * size[0] * size[1] > limits.memory_bytes


def _image_error(data: bytes, error: Exception) -> ImageError:
    """Sort a decoder's exception by what the bytes are, because the exception's type says little."""
    unidentified = isinstance(error, UnidentifiedImageError)  # Its message is the address of an object in memory.
    if "truncated" in str(error).lower() or ends_early(data):
        return ImageError(ImageErrorCode.TRUNCATED, _TRUNCATED)
    reason = "its header is damaged" if unidentified else str(error).strip(". ") or type(error).__name__
    form = describe_form(data, opened=not unidentified)
    if reason.startswith(_UNSUPPORTED_BMP):
        form = f"a BMP of another form ({reason.removeprefix('Unsupported ')})"
    if form:
        detail = f"The file is {form}, which is not read here; export it with 8 bits in red, green and blue."
        return ImageError(ImageErrorCode.UNSUPPORTED_FORMAT, detail[:500])
    detail = f"The picture cannot be decoded ({reason}); export it again."
    return ImageError(ImageErrorCode.DECODE_FAILED, detail[:500])
