"""provisions/llm.rhai, as the `openai` package sees it."""

import asyncio
import json
import time
import urllib.error
import urllib.request

import openai
import pydantic
import pytest
from mock import DEADLINE, Mock

KEY = "sk-test"
HELLO = [{"role": "user", "content": "Hello  there,\nmodel"}]
TOKENS = ["Hello", "  there,", "\nmodel"]


class Forecast(pydantic.BaseModel):
    class Place(pydantic.BaseModel):
        city: str = pydantic.Field(min_length=6)
        country: str | None

    place: Place
    days: int = pydantic.Field(ge=2, le=9)
    unit: str = pydantic.Field(json_schema_extra={"enum": ["C", "F"]})
    hours: list[float] = pydantic.Field(min_length=2)


FORECAST = {"type": "function", "function": {"name": "forecast", "parameters": Forecast.model_json_schema()}}
OTHER = {"type": "function", "function": {"name": "other"}}


@pytest.fixture(scope="module")
def running():
    mock = Mock("llm.rhai")
    yield mock
    mock.close()


@pytest.fixture
def mock(running):
    running.ask("DELETE", "/all")
    return running


def client_of(mock, **options):
    return openai.OpenAI(base_url=f"{mock.url}/v1", timeout=DEADLINE, **{"api_key": KEY, "max_retries": 0, **options})


@pytest.fixture
def create(mock):
    """Completes with the model `gpt-4o`."""
    completions = client_of(mock).chat.completions
    return lambda messages=HELLO, **options: completions.create(model="gpt-4o", messages=messages, **options)


def texts(chunks, index=0):
    """The contents of the deltas of a choice."""
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return [choice.delta.content for choice in choices if choice.delta.content]


def test_a_whole_answer(create):
    answer = create()
    (choice,) = answer.choices
    assert (choice.index, choice.message.role, choice.message.content, choice.finish_reason) == (0, "assistant", "".join(TOKENS), "stop")
    assert (choice.message.tool_calls, choice.message.refusal) == (None, None)
    assert (answer.object, answer.model, answer.id[:9]) == ("chat.completion", "gpt-4o", "chatcmpl-")
    assert abs(answer.created - time.time()) < DEADLINE
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 3, 6)
    assert answer._request_id.startswith("req_")


def test_a_stream_has_a_chunk_for_each_token(create):
    chunks = list(create(stream=True))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert (deltas[0].role, deltas[0].content) == ("assistant", "")
    assert [delta.content for delta in deltas[1:-1]] == TOKENS
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 4 + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert {(chunk.object, chunk.model) for chunk in chunks} == {("chat.completion.chunk", "gpt-4o")}
    assert not any("usage" in chunk.to_dict() for chunk in chunks)


def test_tokens_come_one_by_one(mock, create):
    mock.set("every", 0.2)
    begin = time.monotonic()
    times = [time.monotonic() - begin for _ in create(stream=True)]
    # Five chunks: a late one shortens no gap before it.
    assert times[-1] > 0.8 and times[-1] - times[0] > 0.5, times


def test_usage_of_a_stream_stands_in_a_last_chunk_without_choices(create):
    *chunks, last = create(stream=True, stream_options={"include_usage": True})
    assert (last.choices, last.usage.prompt_tokens, last.usage.completion_tokens, last.usage.total_tokens) == ([], 3, 3, 6)
    assert all(chunk.to_dict()["usage"] is None for chunk in chunks)
    assert texts(chunks) == TOKENS


def test_an_asynchronous_client_streams(mock):
    async def read():
        async with openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key=KEY, timeout=DEADLINE) as client:
            stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
            return [chunk async for chunk in stream]

    assert texts(asyncio.run(read())) == TOKENS


@pytest.mark.parametrize("options, text, reason", [
    ({"stop": "there"}, "Hello  ", "stop"),
    ({"stop": ["model", "there"]}, "Hello  ", "stop"),
    ({"stop": ["no such text"]}, "".join(TOKENS), "stop"),
    ({"max_tokens": 2}, "Hello  there,", "length"),
    ({"max_completion_tokens": 1}, "Hello", "length"),
    ({"max_completion_tokens": 3}, "".join(TOKENS), "stop"),
    ({"stop": "model", "max_tokens": 2}, "Hello  there,", "length"),
])
def test_stop_and_length(create, options, text, reason):
    answer = create(**options)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (text, reason)
    chunks = list(create(stream=True, **options))
    assert ("".join(texts(chunks)), chunks[-1].choices[0].finish_reason) == (text, reason)


def test_choices_each_take_a_reply(mock, create):
    for stream in (False, True):
        mock.set("replies", ["one", "two words"])
        answer = create(n=3, stream=stream)
        if stream:
            answers = ["".join(texts(chunks := list(answer) if index == 0 else chunks, index)) for index in range(3)]
        else:
            answers = [choice.message.content for choice in answer.choices]
            assert answer.usage.completion_tokens == 6
        assert answers == ["one", "two words", "".join(TOKENS)]


def test_messages_of_all_roles_and_parts(create):
    parts = [{"type": "text", "text": "What is"}, {"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "this?"}]
    answer = create([{"role": "system", "content": "Be kind."}, {"role": "developer", "content": "Be brief."},
                     {"role": "assistant", "content": None}, {"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "What is this?"
    assert answer.usage.prompt_tokens == 7


def test_answers_by_what_was_said(mock, create):
    ask = [{"role": "user", "content": "What is the capital of France?"}]
    assert create(ask).choices[0].message.content == "The capital of France is Paris."
    mock.set("answers", [{"when": "capital", "say": "I won't tell."}])
    assert create(ask).choices[0].message.content == "I won't tell."


@pytest.mark.parametrize("choice, name", [
    ({}, "forecast"),
    ({"tool_choice": "required"}, "forecast"),
    ({"tool_choice": {"type": "function", "function": {"name": "other"}}}, "other"),
])
def test_a_tool_is_called_with_arguments_of_its_schema(create, choice, name):
    whole = create(tools=[FORECAST, OTHER], **choice).choices[0]
    assert (whole.finish_reason, whole.message.content) == ("tool_calls", None)
    chunks = list(create(tools=[FORECAST, OTHER], stream=True, **choice))
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    start, *rest = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert (start.index, start.type, start.id[:5], start.function.name, start.function.arguments) == (0, "function", "call_", name, "")
    assert {(call.index, call.id, call.function.name) for call in rest} == {(0, None, None)}
    (called,) = whole.message.tool_calls
    assert (called.type, called.function.name) == ("function", name)
    assert "".join(call.function.arguments for call in rest) == called.function.arguments
    if name == "forecast":
        Forecast.model_validate_json(called.function.arguments)
        assert len(rest) > 3
    else:
        assert called.function.arguments == "{}"


def test_a_tool_is_not_called_again_after_its_result(create):
    call = create(tools=[FORECAST]).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "Rain."}
    answer = create([*HELLO, call, result], tools=[FORECAST]).choices[0]
    assert (answer.message.content, answer.finish_reason) == ("Rain.", "stop")
    assert create(tools=[FORECAST], tool_choice="none").choices[0].message.tool_calls is None


def test_several_tools_are_called_at_once(mock, create):
    calls = [{"tool": "forecast", "arguments": {"city": "Oslo"}}, {"tool": "other"}]
    mock.set("replies", [calls, calls])
    assert [call.function.name for call in create().choices[0].message.tool_calls] == ["forecast", "other"]
    with client_of(mock).chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
        message = stream.get_final_completion().choices[0].message
    assert [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls] == [
        ("forecast", {"city": "Oslo"}), ("other", {})]


def test_a_response_format_is_kept(mock):
    completions = client_of(mock).chat.completions
    answer = completions.parse(model="gpt-4o", messages=HELLO, response_format=Forecast)
    assert isinstance(answer.choices[0].message.parsed, Forecast)
    answer = completions.create(model="gpt-4o", messages=HELLO, response_format={"type": "json_object"})
    assert answer.choices[0].message.content == "{}"


def test_models(mock):
    client = client_of(mock)
    assert [model.id for model in client.models.list()] == ["gpt-4o", "gpt-4o-mini"]
    model = client.models.retrieve("gpt-4o-mini")
    assert (model.id, model.object) == ("gpt-4o-mini", "model")
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("ft:gpt/none")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("wrong, error, code, param", [
    ({"model": "none"}, openai.NotFoundError, "model_not_found", "model"),
    ({"model": None}, openai.BadRequestError, None, "model"),
    ({"messages": []}, openai.BadRequestError, None, "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, openai.BadRequestError, None, "messages[0].role"),
    ({"messages": ["x"]}, openai.BadRequestError, None, "messages[0].role"),
    ({"n": 0}, openai.BadRequestError, None, "n"),
    ({"max_tokens": "many"}, openai.BadRequestError, None, "max_tokens"),
    ({"tools": [OTHER], "tool_choice": {"type": "function", "function": {"name": "none"}}}, openai.BadRequestError, None, "tool_choice"),
])
def test_wrong_requests(mock, wrong, error, code, param):
    with pytest.raises(error) as caught:
        client_of(mock).chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, **wrong})
    assert (caught.value.code, caught.value.param, caught.value.type) == (code, param, "invalid_request_error")
    assert caught.value.request_id.startswith("req_")


def test_keys(mock):
    with pytest.raises(openai.AuthenticationError) as caught:
        client_of(mock, api_key="sk-other").models.list()
    assert (caught.value.code, caught.value.status_code) == ("invalid_api_key", 401)
    assert "sk-other" in caught.value.message


@pytest.mark.parametrize("path, headers, body, status", [
    ("/v1/models", {}, None, 401),
    ("/v1/models", {"Authorization": "Basic eDp5"}, None, 401),
    ("/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}, b"{", 400),
    ("/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}, b"[]", 400),
    ("/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}, None, 405),
    ("/v1/none", {"Authorization": f"Bearer {KEY}"}, None, 404),
])
def test_errors_of_other_clients_have_the_same_form(mock, path, headers, body, status):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(mock.url + path, body, headers), timeout=DEADLINE)
    error = json.load(caught.value)["error"]
    assert (caught.value.code, sorted(error)) == (status, ["code", "message", "param", "type"])
    assert error["type"] == "invalid_request_error" and caught.value.headers["x-request-id"].startswith("req_")


def test_a_limit_is_told_and_waited_for(mock):
    mock.set("replies", [{"status": 429, "retry_after": 1, "code": "rate_limit_exceeded", "message": "Slow down."}] * 2)
    with pytest.raises(openai.RateLimitError) as caught:
        client_of(mock).chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
    assert caught.value.response.headers["Retry-After"] == "1" and "Slow down." in caught.value.message
    begin = time.monotonic()
    stream = client_of(mock, max_retries=2).chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
    assert texts(stream) == TOKENS
    # Without the header the package waits for half a second at most.
    assert time.monotonic() - begin >= 1
    assert [entry["status"] for entry in mock.requests()] == [429, 429, 200]


def test_an_error_of_the_server_is_retried(mock):
    mock.set("replies", [{"status": 503}])
    assert client_of(mock, max_retries=1).chat.completions.create(model="gpt-4o", messages=HELLO).choices
    mock.set("replies", [{"status": 503}])
    with pytest.raises(openai.InternalServerError):
        client_of(mock).chat.completions.create(model="gpt-4o", messages=HELLO)


def test_a_stream_that_breaks_is_no_end(mock, create):
    mock.ask("POST", "/chaos", {"path": "/v1/chat/completions", "stream": {"break_after": 2}})
    seen = []
    with pytest.raises(openai.APIConnectionError):
        for chunk in create(stream=True):
            seen.append(chunk)
    assert texts(seen) == TOKENS[:1]
