"""The gRPC face of the broker: google.pubsub.v1.Publisher and Subscriber, as tables of methods."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # it ships no types
from google.pubsub_v1 import types

from infra.local.pubsub.broker.refusals import Refused
from infra.local.pubsub.broker.topics import Topics

_PULL_WAIT_SECONDS = 2.0  # then an empty answer, as the emulator gives
_ANSWER_SECONDS = 0.1  # kept of a caller's deadline, for the answer's way back

Context = Any  # grpc.aio.ServicerContext
Method = Callable[[Any, Context], Awaitable[Any]]


def publisher(topics: Topics) -> grpc.GenericRpcHandler:
    """The calls of those who publish."""

    async def create(request: Any, _: Context) -> Any:
        return topics.create_topic(request)

    async def get(request: Any, _: Context) -> Any:
        return topics.topic(request.topic)

    async def list_all(request: Any, _: Context) -> Any:
        return types.ListTopicsResponse.pb()(topics=topics.topics(request.project))

    async def list_subscriptions(request: Any, _: Context) -> Any:
        return types.ListTopicSubscriptionsResponse.pb()(subscriptions=topics.subscriptions_of(request.topic))

    async def delete(request: Any, _: Context) -> Any:
        topics.delete_topic(request.topic)
        return Empty()

    async def publish(request: Any, _: Context) -> Any:
        return types.PublishResponse.pb()(message_ids=topics.publish(request.topic, request.messages))

    return grpc.method_handlers_generic_handler(
        "google.pubsub.v1.Publisher",
        {
            "CreateTopic": _handler(create, types.Topic),
            "GetTopic": _handler(get, types.GetTopicRequest),
            "ListTopics": _handler(list_all, types.ListTopicsRequest),
            "ListTopicSubscriptions": _handler(list_subscriptions, types.ListTopicSubscriptionsRequest),
            "DeleteTopic": _handler(delete, types.DeleteTopicRequest),
            "Publish": _handler(publish, types.PublishRequest),
        },
    )


def subscriber(topics: Topics) -> grpc.GenericRpcHandler:
    """The calls of those who receive."""

    async def create(request: Any, _: Context) -> Any:
        return topics.create_subscription(request)

    async def get(request: Any, _: Context) -> Any:
        return topics.subscription(request.subscription).config

    async def list_all(request: Any, _: Context) -> Any:
        return types.ListSubscriptionsResponse.pb()(subscriptions=topics.subscriptions(request.project))

    async def delete(request: Any, _: Context) -> Any:
        await topics.delete_subscription(request.subscription)
        return Empty()

    async def modify_push(request: Any, _: Context) -> Any:
        await topics.modify_push(request.subscription, request.push_config)
        return Empty()

    async def pull(request: Any, context: Context) -> Any:
        subscription = topics.subscription(request.subscription)
        left = context.time_remaining()
        wait = _PULL_WAIT_SECONDS if left is None else min(_PULL_WAIT_SECONDS, max(left - _ANSWER_SECONDS, 0))
        received = await subscription.pull(request.max_messages, 0 if request.return_immediately else wait)
        return types.PullResponse.pb()(received_messages=received)

    async def acknowledge(request: Any, _: Context) -> Any:
        topics.subscription(request.subscription).acknowledge(list(request.ack_ids))
        return Empty()

    async def modify_deadline(request: Any, _: Context) -> Any:
        subscription = topics.subscription(request.subscription)
        subscription.modify_ack_deadline(list(request.ack_ids), request.ack_deadline_seconds)
        return Empty()

    return grpc.method_handlers_generic_handler(
        "google.pubsub.v1.Subscriber",
        {
            "CreateSubscription": _handler(create, types.Subscription),
            "GetSubscription": _handler(get, types.GetSubscriptionRequest),
            "ListSubscriptions": _handler(list_all, types.ListSubscriptionsRequest),
            "DeleteSubscription": _handler(delete, types.DeleteSubscriptionRequest),
            "ModifyPushConfig": _handler(modify_push, types.ModifyPushConfigRequest),
            "Pull": _handler(pull, types.PullRequest),
            "Acknowledge": _handler(acknowledge, types.AcknowledgeRequest),
            "ModifyAckDeadline": _handler(modify_deadline, types.ModifyAckDeadlineRequest),
        },
    )


def _handler(method: Method, request: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    async def call(message: Any, context: Context) -> Any:
        try:
            return await method(message, context)
        except Refused as refusal:
            await context.abort(refusal.code, refusal.details)

    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=request.pb().FromString,
        response_serializer=lambda answer: answer.SerializeToString(),
    )
