"""The server herd as its clients see it: WHEREABOUTS_PORTS names the servers' ports, UDP, WEBSOCKET and TLS
other doors of the first one, if it has them."""

import asyncio
import contextlib
import json
import os
import re
import socket
import ssl
import time

import aiohttp

PORTS = [int(port) for port in os.environ["WHEREABOUTS_PORTS"].split()]
NAMES = ["Goloman", "Hands", "Holiday", "Welsh", "Wilkes"]
LONGEST = 65_536
PLACE = b"+34.068930-118.445127"


class Client:
    def __init__(self, port, **options):
        self.port, self.options = port, options

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20, **self.options)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def say(self, *pieces):
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def line(self):
        return await asyncio.wait_for(self.reader.readline(), 20)

    async def places(self):
        """What follows an AT line: JSON up to an empty line."""
        return await asyncio.wait_for(self.reader.readuntil(b"\n\n"), 20)


def at(name, line, *operands):
    pattern = rb"AT %s [+-][0-9]+\.[0-9]{9} %s\n" % (name.encode(), re.escape(b" ".join(operands)))
    assert re.fullmatch(pattern, line), (pattern, line)


async def every_server_knows_what_one_was_told():
    # Digits that no float would keep.
    when = b"%d.918963997" % (time.time() - 5)
    async with Client(PORTS[0]) as first:
        await first.say(b"IAMAT kiwi.cs.ucla.edu %s %s\n" % (PLACE, when))
        told = await first.line()
        at("Goloman", told, b"kiwi.cs.ucla.edu", PLACE, when)
        assert told.split()[2].startswith(b"+"), told
    for port in PORTS:
        async with Client(port) as client:
            await client.say(b"WHATSAT kiwi.cs.ucla.edu 10 3\n")
            line = await client.line()
            while line.startswith(b"?"):
                # What one was told is on its way.
                await client.say(b"WHATSAT kiwi.cs.ucla.edu 10 3\n")
                line = await client.line()
            assert line == told, (line, told)
            document = json.loads(await client.places())
            assert [place["name"] for place in document["results"]] == ["Boelter Hall", "Pauley Pavilion", "Powell Library"]


async def the_latest_report_wins_wherever_it_was_made():
    now = int(time.time())
    reports = [(1, now - 50), (2, now - 10), (3, now - 30)]
    for server, when in reports:
        async with Client(PORTS[server]) as client:
            await client.say(b"IAMAT mover +1.5-2.5 %d.000000001\n" % when)
            at(NAMES[server], await client.line(), b"mover", b"+1.5-2.5", b"%d.000000001" % when)
    deadline = time.monotonic() + 20
    for port in PORTS:
        async with Client(port) as client:
            while True:
                await client.say(b"WHATSAT mover 1 1\n")
                line = await client.line()
                if line.startswith(b"AT Holiday"):
                    at("Holiday", line, b"mover", b"+1.5-2.5", b"%d.000000001" % (now - 10))
                    assert json.loads(await client.places())["status"] == "ZERO_RESULTS"
                    break
                if not line.startswith(b"?"):
                    await client.places()
                assert time.monotonic() < deadline, line


async def what_is_no_command_comes_back():
    wrong = [
        b"IAMAT kiwi", b"iamat a +1-1 1", b"IAMATX a +1-1 1", b"IAMAT a 1-1 1", b"IAMAT a +91-1 1", b"IAMAT a +1-181 1",
        b"IAMAT a +1-1 now", b"IAMAT a +1-1 -1", b"IAMAT a +1-1 1 2", b"AT Goloman +1 a +1-1 1", b"WHATSAT kiwi.cs.ucla.edu 51 5",
        b"WHATSAT kiwi.cs.ucla.edu 0 5", b"WHATSAT kiwi.cs.ucla.edu 10 21", b"WHATSAT kiwi.cs.ucla.edu 10 0", b"WHATSAT nobody 10 5",
        b"WHATSAT a 1.5 5", b"hello", b"  spaces stay  ", b"\xff\xfe", b"IAMAT a +1-1 99999999999",
    ]
    async with Client(PORTS[2]) as client:
        await client.say(b"\n".join(wrong) + b"\n")
        for line in wrong:
            assert await client.line() == b"? " + line + b"\n"


async def white_space_and_pieces_do_not_matter():
    now = b"%d" % time.time()
    line = b" \t IAMAT\vslow\f " + PLACE + b"  " + now + b" \r\n"
    async with Client(PORTS[3]) as client:
        await client.say(*[line[at : at + 1] for at in range(len(line))])
        at("Welsh", await client.line(), b"slow", PLACE, now)
        await client.say(b"IAMAT a +1-1 " + now + b"\nnonsense\nIAMAT b +2-2 " + now + b"\n")
        at("Welsh", await client.line(), b"a", b"+1-1", now)
        assert await client.line() == b"? nonsense\n"
        at("Welsh", await client.line(), b"b", b"+2-2", now)


def pieces_of(text):
    """The same bytes as they may come: at once, one by one, cut somewhere."""
    yield [text]
    yield [text[at : at + 1] for at in range(len(text))]
    yield [text[:4096], text[4096:-1], text[-1:]]


async def long_lines_come_back_up_to_a_limit_and_what_came_before_is_answered():
    for turn in range(3):
        now = b"%d" % time.time()
        client_name = b"before.%d" % turn
        before = b"IAMAT %s +1-1 %s\n" % (client_name, now)
        longest = b"y" * LONGEST
        for end in (b"\n", b"\r\n"):
            async with Client(PORTS[3]) as client:
                await client.say(*list(pieces_of(before + longest + end + b"after\n"))[turn])
                at("Welsh", await client.line(), client_name, b"+1-1", now)
                assert await client.line() == b"? " + longest + b"\n"
                assert await client.line() == b"? after\n"
        for end in (b"\nafter\n", b"\r\nafter\n", b"", b"\r"):
            async with Client(PORTS[3]) as client:
                with contextlib.suppress(ConnectionError):
                    await client.say(*list(pieces_of(before + longest + b"y" + end))[turn])
                at("Welsh", await client.line(), client_name, b"+1-1", now)
                assert await client.line() == b"", "a line that is too long ends the conversation"
    # What is on its way when it ends takes back nothing.
    async with Client(PORTS[3]) as client:
        with contextlib.suppress(ConnectionError):
            await client.say(b"one\n" + b"x" * 3_000_000)
        assert await client.line() == b"? one\n"
        assert await client.line() == b""


async def the_same_in_other_ways():
    now = b"%d.5" % (time.time() - 1)
    report = b"IAMAT other.door %s %s" % (PLACE, now)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendto(udp, report, ("127.0.0.1", int(os.environ["UDP"])))
        at("Goloman", await asyncio.wait_for(loop.sock_recv(udp, 65536), 20), b"other.door", PLACE, now)
        await loop.sock_sendto(udp, b"  spaces stay \r\n", ("127.0.0.1", int(os.environ["UDP"])))
        assert await asyncio.wait_for(loop.sock_recv(udp, 65536), 20) == b"?   spaces stay \n"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"http://127.0.0.1:{os.environ['WEBSOCKET']}/") as conversation:
            await conversation.send_str("WHATSAT other.door 1 1")
            answer = await conversation.receive_str(timeout=20)
            assert answer.startswith("AT Goloman ") and answer.endswith("}\n\n"), answer
            await conversation.send_str("?")
            assert await conversation.receive_str(timeout=20) == "? ?\n"
            for line in (" \u00a0\u2003 spaces stay \u3000", "\x0b", "y" * LONGEST):
                for end in ("", "\n", "\r\n"):
                    await conversation.send_str(line + end)
                    assert await conversation.receive_str(timeout=20) == f"? {line}\n", line[:99]
            await conversation.send_str("y" * (LONGEST + 1))
            assert (await conversation.receive(timeout=20)).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with Client(int(os.environ["TLS"]), ssl=context) as client:
        await client.say(report + b"\n")
        at("Goloman", await client.line(), b"other.door", PLACE, now)


async def main():
    checks = [
        every_server_knows_what_one_was_told, the_latest_report_wins_wherever_it_was_made, what_is_no_command_comes_back,
        white_space_and_pieces_do_not_matter, long_lines_come_back_up_to_a_limit_and_what_came_before_is_answered,
    ]
    if "UDP" in os.environ:
        checks.append(the_same_in_other_ways)
    for check in checks:
        await check()
        print("ok", check.__name__)


asyncio.run(main())
