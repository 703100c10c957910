"""One operation of one Python client for each line of standard input: what run.mjs does for those of JavaScript.

A line is a task as JSON, the line that answers it `{value | error, pieces, firstMs, ms, afterAbortMs}`.
"""

import asyncio
import json
import sys
import time
import urllib.request

import anthropic
import openai

MAX_TOKENS = 256
MODELS = {"openai": "gpt-4.1-mini", "anthropic": "claude-sonnet-5"}


def kind_of(sdk, error):
    """The kind of an SDK's error by its class, as clients/questions.mjs names it."""
    if isinstance(error, asyncio.CancelledError):
        return "aborted"
    for name, kind in (
        ("APITimeoutError", "timeout"),
        ("BadRequestError", "invalid"),
        ("AuthenticationError", "authentication"),
        ("PermissionDeniedError", "forbidden"),
        ("NotFoundError", "not-found"),
        ("RateLimitError", "limited"),
        ("InternalServerError", "upstream"),
    ):
        if isinstance(error, getattr(sdk, name)):
            # Anthropic's throws an error in a stream as the status it would have had, on the status it had.
            return "in-band" if getattr(error, "status_code", 500) < 300 else kind
    if isinstance(error, sdk.APIStatusError):
        return f"status {error.status_code}" if error.status_code >= 300 else "in-band"
    if isinstance(error, sdk.APIConnectionError):
        return "connection"
    return "in-band" if isinstance(error, sdk.APIError) else "unreadable"


class Chat:
    """`openai` by chat completions."""

    sdk = openai

    def __init__(self, settings, tool, schema):
        self.client = openai.AsyncOpenAI(**settings)
        function = {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"]}
        self.tools = [{"type": "function", "function": function}]
        self.tool, self.schema = tool, schema

    def create(self, **body):
        return self.client.chat.completions.create(model=MODELS["openai"], max_tokens=MAX_TOKENS, **body)

    async def plain(self, question, _on_piece):
        answer = await self.create(messages=[{"role": "user", "content": question}])
        [choice] = answer.choices
        return {"text": choice.message.content, "finish": choice.finish_reason, "usage": self.usage(answer.usage)}

    @staticmethod
    def usage(usage):
        return {"input": usage.prompt_tokens, "output": usage.completion_tokens} if usage else {}

    async def stream(self, question, on_piece):
        text, finish, usage = "", None, None
        messages = [{"role": "user", "content": question}]
        async with await self.create(messages=messages, stream=True, stream_options={"include_usage": True}) as stream:
            async for chunk in stream:
                usage = chunk.usage or usage
                for choice in chunk.choices:
                    finish = choice.finish_reason or finish
                    if choice.delta.content:
                        text += choice.delta.content
                        await on_piece(choice.delta.content)
        return {"text": text, "finish": finish, "usage": self.usage(usage)}

    async def tools_(self, question, _on_piece):
        messages = [{"role": "user", "content": question}]
        first = (await self.create(messages=messages, tools=self.tools)).choices[0]
        [call] = first.message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": json.dumps(self.tool["result"])}
        second = await self.create(messages=[*messages, first.message, result], tools=self.tools)
        args = json.loads(call.function.arguments)
        text = second.choices[0].message.content
        return {"name": call.function.name, "args": args, "finish": first.finish_reason, "text": text}

    async def json(self, question, _on_piece):
        form = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": self.schema}}
        answer = await self.create(messages=[{"role": "user", "content": question}], response_format=form)
        return json.loads(answer.choices[0].message.content)


class Responses:
    """`openai` by responses."""

    sdk = openai

    def __init__(self, settings, tool, schema):
        self.client = openai.AsyncOpenAI(**settings)
        named = {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"]}
        self.tools = [{"type": "function", "strict": True, **named}]
        self.tool, self.schema = tool, schema

    def create(self, **body):
        return self.client.responses.create(model=MODELS["openai"], max_output_tokens=MAX_TOKENS, store=False, **body)

    @staticmethod
    def done(answer):
        usage = {"input": answer.usage.input_tokens, "output": answer.usage.output_tokens}
        return {"text": answer.output_text, "finish": answer.status, "usage": usage}

    async def plain(self, question, _on_piece):
        return self.done(await self.create(input=question))

    async def stream(self, question, on_piece):
        final = None
        async with await self.create(input=question, stream=True) as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    await on_piece(event.delta)
                if event.type == "response.completed":
                    final = event.response
                # Here it is an event like any other: the SDK leaves it to the app.
                if event.type == "error":
                    raise openai.APIError(event.message, None, body=None)
        return self.done(final) if final else {}

    async def tools_(self, question, _on_piece):
        turns = [{"role": "user", "content": question}]
        first = await self.create(input=turns, tools=self.tools)
        call = next(item for item in first.output if item.type == "function_call")
        result = {"type": "function_call_output", "call_id": call.call_id, "output": json.dumps(self.tool["result"])}
        second = await self.create(input=[*turns, *first.output, result], tools=self.tools)
        args = json.loads(call.arguments)
        return {"name": call.name, "args": args, "finish": first.status, "text": second.output_text}

    async def json(self, question, _on_piece):
        form = {"type": "json_schema", "name": "weather", "strict": True, "schema": self.schema}
        return json.loads((await self.create(input=question, text={"format": form})).output_text)


class Messages:
    """`anthropic`."""

    sdk = anthropic

    def __init__(self, settings, tool, schema):
        self.client = anthropic.AsyncAnthropic(**settings)
        self.tools = [{"name": tool["name"], "description": tool["description"], "input_schema": tool["schema"]}]
        self.tool, self.schema = tool, schema

    @staticmethod
    def body(**more):
        return {"model": MODELS["anthropic"], "max_tokens": MAX_TOKENS, **more}

    @staticmethod
    def done(answer):
        usage = {"input": answer.usage.input_tokens, "output": answer.usage.output_tokens}
        text = "".join(block.text for block in answer.content if block.type == "text")
        return {"text": text, "finish": answer.stop_reason, "usage": usage}

    async def plain(self, question, _on_piece):
        return self.done(await self.client.messages.create(**self.body(messages=[{"role": "user", "content": question}])))

    async def stream(self, question, on_piece):
        async with self.client.messages.stream(**self.body(messages=[{"role": "user", "content": question}])) as stream:
            async for piece in stream.text_stream:
                await on_piece(piece)
            return self.done(await stream.get_final_message())

    async def tools_(self, question, _on_piece):
        turns = [{"role": "user", "content": question}]
        first = await self.client.messages.create(**self.body(messages=turns, tools=self.tools))
        call = next(block for block in first.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps(self.tool["result"])}
        turns += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        second = await self.client.messages.create(**self.body(messages=turns, tools=self.tools))
        return {"name": call.name, "args": call.input, "finish": first.stop_reason, "text": self.done(second)["text"]}

    async def json(self, question, _on_piece):
        form = {"format": {"type": "json_schema", "schema": self.schema}}
        body = self.body(messages=[{"role": "user", "content": question}], output_config=form)
        return json.loads(self.done(await self.client.messages.create(**body))["text"])


CLIENTS = {"python openai": Chat, "python openai responses": Responses, "python anthropic": Messages}


def settings_of(setup, path):
    given = {"api_key": setup["apiKey"], "base_url": setup["origin"] + setup.get("path", path)}
    for name, key in (("maxRetries", "max_retries"), ("headers", "default_headers")):
        if name in setup:
            given[key] = setup[name]
    if "timeoutMs" in setup:
        given["timeout"] = setup["timeoutMs"] / 1000
    return given


async def perform(task):
    pieces, started, first = [], time.monotonic(), []
    abort, aborted = task.get("abort"), []

    async def on_piece(piece):
        first.append(since())
        pieces.append(piece)
        if isinstance(abort, dict) and len(pieces) == abort.get("pieces"):
            aborted.append(since())
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

    async def leave_once_asked():
        await asyncio.to_thread(urllib.request.urlopen, abort["asked"], timeout=60)
        aborted.append(since())
        running.cancel()

    def since():
        return round((time.monotonic() - started) * 1000)

    make = CLIENTS[task["client"]]
    operations = make(settings_of(task["setup"], task["path"]), task["tool"], task["schema"])
    work = getattr(operations, {"tools": "tools_"}.get(task["op"], task["op"]))
    running = asyncio.create_task(work(task["question"], on_piece))
    if abort == "before":
        running.cancel()
    watch = asyncio.create_task(leave_once_asked()) if isinstance(abort, dict) and "asked" in abort else None
    try:
        outcome = {"value": await running}
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001: whatever it is, it is told
        told = {"kind": kind_of(make.sdk, error), "name": type(error).__name__, "message": str(error)}
        status = getattr(error, "status_code", None)
        response = getattr(error, "response", None)
        outcome = {"error": told}
        if status is not None:
            told["status"] = status
        if response is not None and response.headers.get("retry-after"):
            told["retryAfter"] = response.headers["retry-after"]
    after_abort = since() - aborted[0] if aborted else None
    if watch:
        watch.cancel()
    await operations.client.close()
    told = {"pieces": pieces, "firstMs": first[0] if first else None, "ms": since(), "afterAbortMs": after_abort}
    return {**outcome, **told}


for line in sys.stdin:
    print(json.dumps(asyncio.run(perform(json.loads(line)))), flush=True)
