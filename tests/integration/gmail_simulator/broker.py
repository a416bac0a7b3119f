"""The broker that takes the simulator's pushes: the one call of Pub/Sub's Publisher that it makes, over gRPC."""

import json
import queue
import socket
from concurrent import futures
from typing import Any

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse

PROJECT = "tenths-local"
TOPIC = f"projects/{PROJECT}/topics/gmail-events"
DEADLINE_S = 15.0


class Broker(grpc.GenericRpcHandler):
    """The one call of Pub/Sub's Publisher that the simulator makes. It can go away and come back on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._pushes: queue.Queue[dict[str, Any]] = queue.Queue()
        self._server: grpc.Server | None = None
        self.topics: list[str] = []

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[PublishRequest, PublishResponse] | None":
        if handler_call_details.method != "/google.pubsub.v1.Publisher/Publish":
            return None
        return grpc.unary_unary_rpc_method_handler(
            self._publish,
            request_deserializer=PublishRequest.deserialize,
            response_serializer=PublishResponse.serialize,
        )

    def start(self) -> None:
        self._server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[self])
        self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        if self._server:
            self._server.stop(grace=None).wait()
            self._server = None

    def push(self) -> dict[str, Any]:
        """The next push, waited for."""
        return self._pushes.get(timeout=DEADLINE_S)

    def no_more(self) -> bool:
        return self._pushes.empty()

    def _publish(self, request: PublishRequest, _context: grpc.ServicerContext) -> PublishResponse:
        self.topics.append(request.topic)
        for message in request.messages:
            self._pushes.put(json.loads(message.data))
        return PublishResponse(message_ids=["1" for _ in request.messages])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
