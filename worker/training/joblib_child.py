"""The temporary process of ``import_joblib.py``: unpickles a model and saves it as a ``.keras`` file."""

import sys


def main(source: str, target: str) -> None:
    """Open ``source``, which runs the code in it, and write ``target``; the last line of stderr is the reason."""
    import joblib
    import keras

    try:
        model = joblib.load(source)
    except Exception as error:  # A pickle raises whatever it likes.
        raise SystemExit(f"it is not a joblib file that can be opened ({type(error).__name__}: {error})") from error
    if not isinstance(model, keras.Model):
        raise SystemExit(f"it holds a {type(model).__name__}, not a Keras model")
    model.compile()  # Drops optimizer and loss: serving has no use for them, and they may need code to open.
    model.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
