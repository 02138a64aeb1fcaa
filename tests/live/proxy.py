"""A proxy in front of a broker that does to requests and answers what networks do: slow, late, lost, cut, silent.

It knows where requests of Kafka's protocol begin and end (length, then API key, version, correlation id) and nothing else of them.
"""

import asyncio
import contextlib
import struct
import threading
from collections import Counter
from dataclasses import dataclass

# API keys of Kafka's protocol.
PRODUCE, ADD_PARTITIONS, END_TXN, INIT_PRODUCER_ID = 0, 24, 26, 22
LONGEST = 256 * 2**20


@dataclass
class Rule:
    """What becomes of requests of one kind.

    `answer_lost`: it is done, and the connection breaks before the answer. `request_lost`: the connection breaks before it is done.
    `late`: the connection breaks, and it is done `seconds` later all the same. `slow`: it waits `seconds`, and so does all that follows it.
    """

    api_key: int
    action: str
    # How many requests are let through before, and how many are met; None for all.
    after: int = 0
    times: int | None = 1
    seconds: float = 0.0


class Proxy:
    """Listens at `port` and passes on to `target` (host, port), in a thread of its own."""

    def __init__(self, port, target):
        self.port, self.target = port, target
        self.rules, self.met, self.passed = [], Counter(), Counter()
        self._left, self._refusing, self._tasks = None, False, set()
        self._loop = asyncio.new_event_loop()
        self._flows, self._pairs = asyncio.Event(), set()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10), f"port {port} is taken"

    def _run(self, started):
        asyncio.set_event_loop(self._loop)

        async def serve():
            self._flows.set()
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()

        self._loop.run_until_complete(serve())
        self._loop.run_forever()

    def _call(self, function):
        done = threading.Event()

        def run():
            function()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(10), "the proxy does not answer"

    def close(self):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self):
        self._server.close()
        self._break()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _break(self):
        for pair in list(self._pairs):
            for writer in pair:
                writer.transport.abort()

    def add(self, rule):
        self._call(lambda: self.rules.append(rule))

    def clear(self):
        """Everything flows again."""
        self._call(self._clear)

    def _clear(self):
        self.rules.clear()
        self._left, self._refusing = None, False
        self._flows.set()

    def cut(self):
        """Breaks all connections; new ones are taken."""
        self._call(self._break)

    def cut_after(self, count):
        """Breaks the connection that carries the `count`-th byte of answers from now on, in the middle of it."""
        self._call(lambda: setattr(self, "_left", count))

    def down(self):
        """Breaks all connections and breaks each new one."""
        self._call(lambda: (setattr(self, "_refusing", True), self._break()))

    def silence(self):
        """Connections stay and carry nothing."""
        self._call(self._flows.clear)

    def speak(self):
        """Ends `silence`; what was held flows on."""
        self._call(self._flows.set)

    async def _accept(self, reader, writer):
        if self._refusing:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        pair, lost = (writer, back), set()
        self._pairs.add(pair)
        tasks = [asyncio.ensure_future(self._requests(reader, back, writer, lost)), asyncio.ensure_future(self._answers(there, writer, lost))]
        self._tasks.update(tasks)
        try:
            done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the proxy is closed
            return
        keep = any(task.result() == "late" for task in done)
        for task in pending:
            task.cancel()
        writer.transport.abort()
        if not keep:
            back.transport.abort()
        self._pairs.discard(pair)
        self._tasks.difference_update(tasks)

    async def _frame(self, reader):
        head = await reader.readexactly(4)
        (length,) = struct.unpack(">i", head)
        if not 0 <= length <= LONGEST:
            raise ConnectionError("no frame")
        return head + await reader.readexactly(length)

    def _rule(self, api_key):
        for rule in self.rules:
            if rule.api_key == api_key:
                if rule.after > 0:
                    rule.after -= 1
                elif rule.times is None or rule.times > 0:
                    rule.times = None if rule.times is None else rule.times - 1
                    return rule
        return None

    async def _requests(self, reader, back, writer, lost):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, OSError):
            while True:
                frame = await self._frame(reader)
                await self._flows.wait()
                api_key, _, correlation = struct.unpack_from(">hhi", frame, 4)
                self.passed[api_key] += 1
                rule = self._rule(api_key)
                if rule is not None:
                    self.met[api_key, rule.action] += 1
                    if rule.action == "request_lost":
                        return "lost"
                    if rule.action == "late":
                        task = asyncio.ensure_future(self._later(frame, back, rule.seconds))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                        return "late"
                    if rule.action == "answer_lost":
                        lost.add(correlation)
                    else:
                        await asyncio.sleep(rule.seconds)
                back.write(frame)
                await back.drain()
        return "ended"

    @staticmethod
    async def _later(frame, back, seconds):
        await asyncio.sleep(seconds)
        with contextlib.suppress(ConnectionError, OSError):
            back.write(frame)
            await back.drain()
            # The broker gets time to read it before it sees that nobody is there.
            await asyncio.sleep(1)
        back.transport.abort()

    async def _answers(self, there, writer, lost):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, OSError):
            while True:
                frame = await self._frame(there)
                await self._flows.wait()
                if struct.unpack_from(">i", frame, 4)[0] in lost:
                    return "lost"
                if self._left is not None:
                    if len(frame) >= self._left:
                        writer.write(frame[: self._left])
                        self._left = None
                        await writer.drain()
                        return "cut"
                    self._left -= len(frame)
                writer.write(frame)
                await writer.drain()
        return "ended"
