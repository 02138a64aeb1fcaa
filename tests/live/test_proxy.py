"""The proxy, in front of a server that echoes requests as answers and remembers them."""

import socket
import struct
import threading
import time
import unittest

from proxy import END_TXN, PRODUCE, Proxy, Rule


def request(api_key, correlation):
    body = struct.pack(">hhi", api_key, 0, correlation)
    return struct.pack(">i", len(body)) + body


class Server:
    """Answers each request with its correlation id."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address, self.asked = self.socket.getsockname(), []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            while head := connection.recv(4, socket.MSG_WAITALL):
                body = connection.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)
                _, _, correlation = struct.unpack(">hhi", body)
                self.asked.append(correlation)
                connection.sendall(struct.pack(">ii", 4, correlation))


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)

    def ask(self, api_key, correlation):
        """The answer; what there is of it when the connection breaks."""
        self.socket.sendall(request(api_key, correlation))
        return self.answer()

    def answer(self):
        try:
            return self.socket.recv(8, socket.MSG_WAITALL)
        except ConnectionError:
            return b""


def answer(correlation):
    return struct.pack(">ii", 4, correlation)


class Network(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.socket.close)
        self.proxy = Proxy(0, self.server.address)
        self.addCleanup(self.proxy.close)

    def client(self):
        client = Client(self.proxy.port)
        self.addCleanup(client.socket.close)
        return client

    def test_passes_on(self):
        client = self.client()
        self.assertEqual([client.ask(PRODUCE, 1), client.ask(END_TXN, 2)], [answer(1), answer(2)])
        self.assertEqual(self.proxy.passed, {PRODUCE: 1, END_TXN: 1})

    def test_an_answer_that_is_lost(self):
        self.proxy.add(Rule(END_TXN, "answer_lost", after=1))
        client = self.client()
        self.assertEqual([client.ask(END_TXN, 1), client.ask(PRODUCE, 2), client.ask(END_TXN, 3)], [answer(1), answer(2), b""])
        self.assertEqual(self.client().ask(END_TXN, 4), answer(4))
        self.assertEqual(self.server.asked, [1, 2, 3, 4], "all were done")

    def test_a_request_that_is_lost(self):
        self.proxy.add(Rule(END_TXN, "request_lost"))
        self.assertEqual(self.client().ask(END_TXN, 1), b"")
        self.assertEqual(self.client().ask(END_TXN, 2), answer(2))
        self.assertEqual(self.server.asked, [2])

    def test_a_request_that_comes_when_its_sender_has_given_up(self):
        self.proxy.add(Rule(END_TXN, "late", seconds=0.5))
        self.assertEqual(self.client().ask(END_TXN, 1), b"")
        self.assertEqual(self.client().ask(END_TXN, 2), answer(2))
        self.assertEqual(self.server.asked, [2])
        until = time.monotonic() + 5
        while len(self.server.asked) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        self.assertEqual(self.server.asked, [2, 1])

    def test_a_slow_request(self):
        self.proxy.add(Rule(END_TXN, "slow", seconds=0.3))
        began = time.monotonic()
        self.assertEqual(self.client().ask(END_TXN, 1), answer(1))
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_cut(self):
        client = self.client()
        client.ask(PRODUCE, 1)
        self.proxy.cut()
        self.assertEqual(client.answer(), b"")
        client = self.client()
        client.ask(PRODUCE, 2)
        self.proxy.cut_after(11)
        self.assertEqual([client.ask(PRODUCE, 3), client.ask(PRODUCE, 4)], [answer(3), answer(4)[:3]])

    def test_down_and_up(self):
        self.proxy.down()
        self.assertEqual(self.client().ask(PRODUCE, 1), b"")
        self.proxy.clear()
        self.assertEqual(self.client().ask(PRODUCE, 2), answer(2))

    def test_silence(self):
        client = self.client()
        client.ask(PRODUCE, 1)
        self.proxy.silence()
        client.socket.sendall(request(PRODUCE, 2))
        client.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            client.socket.recv(8)
        self.proxy.speak()
        client.socket.settimeout(5)
        self.assertEqual(client.answer(), answer(2))


if __name__ == "__main__":
    unittest.main()
