"""``python -m tests.benchmarks.api_floor FILE PORT``: FastAPI on uvicorn that answers from memory.

``FILE`` is a JSON object: paths, and the text that each is answered with.
"""

import json
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response


def app_of(answers: dict[str, bytes]) -> FastAPI:
    """Every path has its bytes; a body that was sent is read."""
    app = FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def repeat(request: Request, path: str) -> Response:
        await request.body()
        return Response(answers[path], media_type="application/json")

    return app


if __name__ == "__main__":
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    bodies = {path: text.encode() for path, text in texts.items()}
    uvicorn.run(app_of(bodies), port=int(sys.argv[2]), log_config=None, access_log=False)
