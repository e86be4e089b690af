"""Why an answer: the class activation map of a label, in one byte for each cell. Pure."""

from worker.inference.explanation.explain import Explanation, explain

__all__ = ["Explanation", "explain"]
