"""Words of the page, by language. A new language is a column here."""

from __future__ import annotations

from collections.abc import Mapping

from phytobatch.summaries.resources import Shares

LANGUAGES = ("en", "es")

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Plant health report", "Informe de sanidad vegetal"),
    "images": ("images", "imágenes"),
    "counted": ("counted", "contadas"),
    "diseased": ("diseased", "enfermas"),
    "of_counted": ("of {counted} counted images", "de {counted} imágenes contadas"),
    "of_tiles": ("of {tiles} tiles in {counted} photographs", "de {tiles} recuadros en {counted} fotografías"),
    "undecided_photographs": (
        "undecided: of them nothing is known, also not that they are healthy",
        "sin decidir: de ellas no se sabe nada, tampoco que estén sanas",
    ),
    "interval": ("95 % interval {low} to {high}", "intervalo del 95 %: {low} a {high}"),
    "to_look_at": ("to look at", "por revisar"),
    "not_looked_at": ("not classified", "no clasificados"),
    "tiles_of": ("{tiles} tiles of {edge} pixels", "{tiles} recuadros de {edge} píxeles"),
    "undecided": ("undecided", "sin decidir"),
    "undecided_because": ("Undecided: {reason}", "Sin decidir: {reason}"),
    "share_of_tiles": (
        "{label}: {tiles} of {counted} tiles that count ({share})",
        "{label}: {tiles} de {counted} recuadros que cuentan ({share})",
    ),
    "not_classified": ("without a classification", "sin clasificar"),
    "corrected": ("corrected by a person", "corregidas por una persona"),
    "taken": ("Taken", "Tomadas"),
    "span": ("{first} to {last}", "{first} a {last}"),
    "classifier": ("Classifier", "Clasificador"),
    "classes": ("What was found", "Qué se encontró"),
    "map": ("Where", "Dónde"),
    "map_text": (
        (
            "Each square is {edge} m wide. Its colour is the share of diseased images among those counted in it; "
            "a square with a dashed edge has images, but none that counts. North is up."
        ),
        (
            "Cada cuadrado mide {edge} m. El color es la proporción de imágenes enfermas entre las contadas en él; un "
            "cuadrado de borde discontinuo tiene imágenes, pero ninguna que cuente. El norte está arriba."
        ),
    ),
    "no_map": (
        "No image of this job has a position, so there is no map.",
        "Ninguna imagen de este trabajo tiene posición, por eso no hay mapa.",
    ),
    "far": ("Images far from the others", "Imágenes lejos de las demás"),
    "far_text": (
        (
            "{images} lie more than {km} km from the middle of the others and are not on the map: is their position "
            "right? They count everywhere else."
        ),
        (
            "{images} están a más de {km} km del centro de las demás y no aparecen en el mapa: ¿es correcta su "
            "posición? En todo lo demás cuentan."
        ),
    ),
    "far_zero": ("latitude and longitude are zero", "la latitud y la longitud son cero"),
    "far_exchanged": ("latitude and longitude seem exchanged", "la latitud y la longitud parecen intercambiadas"),
    "far_hemisphere": ("north and south, or east and west, seem exchanged", "parece estar en el hemisferio equivocado"),
    "share_of_diseased": ("share of diseased images", "proporción de imágenes enfermas"),
    "by": ("By {key}", "Por {key}"),
    "day": ("day", "día"),
    "none": ("(not said)", "(sin indicar)"),
    "worst": ("Surest signs of disease", "Signos de enfermedad más claros"),
    "worst_text": (
        "The images whose disease the classifier is surest of.",
        "Las imágenes de cuya enfermedad el clasificador está más seguro.",
    ),
    "worst_text_tiles": (
        (
            "The photographs with the largest diseased part. A thick border is a disease, a thin one healthy; where it "
            "is hatched a person should look; without a border nothing was classified."
        ),
        (
            "Las fotografías con la mayor parte enferma. Un borde grueso es una enfermedad, uno fino es sano; donde "
            "hay un rayado debe mirar una persona; sin borde no se clasificó nada."
        ),
    ),
    "speaks": (
        "speaks for {label}: from nothing to the most; the line is at half of it",
        "habla por {label}: de nada a lo máximo; la línea está en la mitad",
    ),
    "sure_of": ("{label}: {sure}", "{label}: {sure}"),
    "explained_text": (
        (
            "Blue to violet is what speaks for the label; the line encloses what speaks at least half as much as the "
            "strongest part. It shows where the classifier saw it, and not how sure it is."
        ),
        (
            "De azul a violeta, lo que habla por la etiqueta; la línea encierra lo que habla al menos la mitad que la "
            "parte más fuerte. Muestra dónde lo vio el clasificador, no cuán seguro está."
        ),
    ),
    "part_of_tiles": ("{share} of {counted} tiles", "{share} de {counted} recuadros"),
    "uncertain": ("Look at these first", "Revise estas primero"),
    "uncertain_text": (
        "The images that the classifier is least sure of. A person should decide.",
        "Las imágenes de las que el clasificador está menos seguro. Debe decidir una persona.",
    ),
    "without_position": ("Images without a position", "Imágenes sin posición"),
    "failures": ("Images without a classification", "Imágenes sin clasificación"),
    "review": ("Images that ask for a person", "Imágenes que piden revisión"),
    "how": ("How to read this", "Cómo leer este informe"),
    "how_text": (
        (
            "Shares are parts of the counted images: those that a person has labelled, and those whose label the "
            "classifier is sure of. Images that ask for a person are in no share. The interval says how much chance "
            "there is in a share of so few images; it does not know that neighbouring plants are alike, nor that a "
            "drone looks at leaves from above. A classifier is no diagnosis: have what matters confirmed in the field."
        ),
        (
            "Las proporciones se refieren a las imágenes contadas: las etiquetadas por una persona y aquellas de cuya "
            "etiqueta el clasificador está seguro. Las que piden revisión no entran en ninguna proporción. El "
            "intervalo indica cuánto azar hay en una proporción de tan pocas imágenes; no sabe que las plantas vecinas "
            "se parecen, ni que un dron mira las hojas desde arriba. Un clasificador no es un diagnóstico: haga "
            "confirmar en el campo lo que importe."
        ),
    ),
    "how_text_tiles": (
        (
            "Shares are parts of the tiles that count, of photographs with an answer: squares whose label the "
            "classifier is sure of, or that a person has labelled. A photograph is called diseased when a disease "
            "reaches its share of these tiles, and healthy only when enough of them count; otherwise it is undecided, "
            "and in no share. The tiles of a photograph are alike, so the interval takes photographs for the sample. A "
            "classifier is no diagnosis: have what matters confirmed in the field."
        ),
        (
            "Las proporciones se refieren a los recuadros que cuentan, de fotografías con respuesta: aquellos de cuya "
            "etiqueta el clasificador está seguro, o los etiquetados por una persona. Una fotografía es enferma cuando "
            "una enfermedad alcanza su proporción de esos recuadros, y sana solo cuando cuentan bastantes; si no, "
            "queda sin decidir y no entra en ninguna proporción. Los recuadros de una fotografía se parecen, por eso "
            "el intervalo toma las fotografías como muestra. Un clasificador no es un diagnóstico: haga confirmar en "
            "el campo lo que importe."
        ),
    ),
    "share": ("share", "proporción"),
    "reason": ("reason", "motivo"),
    "picture_missing": ("no picture", "sin imagen"),
    "made": ("Made {moment} from job {job}", "Generado el {moment} a partir del trabajo {job}"),
    "state_running": (
        "The job is still running: this is what was known when the page was made.",
        "El trabajo aún está en curso: esto es lo que se sabía al generar la página.",
    ),
    # Reasons and codes, as the API says them.
    "blurred": ("too blurred to see a symptom", "demasiado borrosa para ver un síntoma"),
    "not_a_leaf": ("nothing that the classifier has learned", "nada que el clasificador haya aprendido"),
    "other_symptom": ("signs of something else", "signos de otra cosa"),
    "low_confidence": ("the best class is not likely enough", "la mejor clase no es bastante probable"),
    "unknown_crop": ("a plant that it has not learned", "una planta que no ha aprendido"),
    "unusual_light": ("colours unlike those that it has learned", "colores distintos de los aprendidos"),
    "too_coarse": ("from too far away to be read", "desde demasiado lejos para leerse"),
    "too_few_tiles": ("too few tiles can be read", "muy pocos recuadros se pueden leer"),
    "no_leaf": ("most tiles show no leaf", "la mayoría de los recuadros no muestra hojas"),
    "seen_elsewhere": ("seen better in another photograph", "se ve mejor en otra fotografía"),
    "no_data": ("no picture there", "ahí no hay imagen"),
    "no_metadata": ("the file has no metadata", "el archivo no tiene metadatos"),
    "no_position": ("its metadata have no position", "sus metadatos no tienen posición"),
    "no_fix": ("the receiver had no fix", "el receptor no tenía señal"),
    "invalid_position": ("its position is no place on Earth", "su posición no existe en la Tierra"),
    "not_read": ("the file could not be read", "no se pudo leer el archivo"),
    "empty": ("the file is empty", "el archivo está vacío"),
    "truncated": ("the file ends too early", "el archivo está incompleto"),
    "unsupported_format": ("the file is no picture", "el archivo no es una imagen"),
    "too_costly": ("it takes too long or too much memory to open", "abrirla cuesta demasiado tiempo o memoria"),
    "too_many_pixels": ("the picture is too large", "la imagen es demasiado grande"),
    "too_large": ("the file is too large", "el archivo es demasiado grande"),
    "object_missing": ("the file was never uploaded", "el archivo no se subió"),
    "checksum_mismatch": ("another file than announced", "no es el archivo anunciado"),
    "size_mismatch": ("the upload was not complete", "la subida no se completó"),
    "decode_failed": ("the picture is damaged", "la imagen está dañada"),
    "worker_crashed": ("it broke the decoder", "bloqueó el decodificador"),
    "not_storable": ("its answer could not be kept", "no se pudo guardar su respuesta"),
    "duplicate": ("the same file twice", "el mismo archivo dos veces"),
    "canceled": ("the job was canceled", "el trabajo se canceló"),
}


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, /, **fields: object) -> str:
        """Return the word or sentence; a key that is not in the table (a code of a newer server) stands for itself."""
        found = _WORDS.get(key)
        return key if found is None else found[self._column].format(**fields)

    def of_counted(self, shares: Shares) -> str:
        """Write what a share is a part of: images, or tiles of images."""
        if shares.tiles is None:
            return self("of_counted", counted=self.number(shares.counted))
        counted, tiles = self.number(shares.tiles.photographs), self.number(shares.tiles.counted)
        return self("of_tiles", counted=counted, tiles=tiles)

    def number(self, value: int) -> str:
        """Write a number with the language's mark between thousands (a thin space in Spanish)."""
        return f"{value:,}" if self.language == "en" else f"{value:,}".replace(",", "\u202f")

    def percent(self, share: float) -> str:
        """Write a share with one decimal: 12.5 %."""
        text = f"{100 * share:.1f}"
        return f"{text} %" if self.language == "en" else f"{text.replace('.', ',')} %"
