"""The questions that the runbook asks the database are understood by it."""

import re
import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db.session import Database

RUNBOOK = (Path(__file__).parents[3] / "docs" / "runbook.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"`(SELECT [^`]+);`", RUNBOOK)


def test_there_are_questions() -> None:
    assert len(QUESTIONS) > 4


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda sql: sql.split(" FROM ")[1].split(" ")[0])
def test_the_database_understands(database: Database, question: str) -> None:
    with database.begin() as session:
        session.execute(text(question.replace("'ID'", f"'{uuid.uuid4()}'"))).all()
