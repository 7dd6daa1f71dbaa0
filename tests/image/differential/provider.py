"""A stand-in of model providers and of whoever takes webhooks: canned answers in the form of each provider's API."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_USAGE = {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}
_CHAT = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": "standin",
    "usage": _USAGE,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
}
_CHUNK = {
    "id": "chat-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "standin",
    "choices": [{"index": 0, "finish_reason": None, "delta": {"role": "assistant", "content": "Hello"}}],
}
_EMBEDDINGS = {
    "object": "list",
    "model": "standin",
    "usage": _USAGE,
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
}
_RESPONSE = {
    "id": "response-1",
    "object": "response",
    "created_at": 1,
    "model": "standin",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "message-1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3},
}
_MESSAGE = {
    "id": "message-1",
    "type": "message",
    "role": "assistant",
    "model": "standin",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 2, "output_tokens": 1},
}
_CONTENT = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 1, "totalTokenCount": 3},
    "modelVersion": "standin",
}
_ANSWERS = {
    "/chat/completions": (_CHAT, [_CHUNK]),
    "/embeddings": (_EMBEDDINGS, []),
    "/responses": (_RESPONSE, [{"type": "response.completed", "response": _RESPONSE}]),
    "/responses/compact": (_RESPONSE, []),
    "/messages": (_MESSAGE, [{"type": "message_start", "message": _MESSAGE}, {"type": "message_stop"}]),
    ":generateContent": (_CONTENT, []),
    ":streamGenerateContent": (_CONTENT, [_CONTENT]),
}
"""A whole answer and the pieces of a streamed one, by how the path ends."""


class _Provider(BaseHTTPRequestHandler):
    """Knows no models and keeps nothing."""

    def do_POST(self) -> None:
        """Answer as the provider of that path does; say what was asked at any other path."""
        body: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        whole, pieces = next(
            (answer for end, answer in _ANSWERS.items() if path.endswith(end)), ({"path": path, "asked": body}, [])
        )
        if pieces and (body.get("stream") or path.endswith(":streamGenerateContent")):
            self._send("text/event-stream", "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces))
        else:
            self._send("application/json", json.dumps(whole))

    def _send(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def started() -> Generator[str]:
    """Run the stand-in until the block ends, and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
