"""The modules that servers live on: json, threading and queue, asyncio, sqlite3, ssl-less sockets, subprocess-less."""

import asyncio
import json
import queue
import sqlite3
import threading


def with_threads():
    work, done = queue.Queue(), queue.Queue()

    def serve():
        while (item := work.get()) is not None:
            done.put(item * item)
    servers = [threading.Thread(target=serve) for _ in range(8)]
    for server in servers:
        server.start()
    for n in range(1000):
        work.put(n)
    for _ in servers:
        work.put(None)
    for server in servers:
        server.join()
    return sum(done.get() for _ in range(1000))


async def with_asyncio():
    async def later(n):
        await asyncio.sleep(0.001 * (n % 5))
        return n
    got = await asyncio.gather(*(later(n) for n in range(100)))
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)
    await asyncio.wait_for(event.wait(), 60)
    in_thread = await asyncio.to_thread(sum, range(1000))
    return sum(got), in_thread


def with_sqlite():
    base = sqlite3.connect(":memory:")
    base.execute("create table t (a integer primary key, b text)")
    base.executemany("insert into t (b) values (?)", ((f"row {n}",) for n in range(5000)))
    return base.execute("select count(*), max(b), sum(a) from t where b like '%7%'").fetchone()


print(json.dumps({"threads": with_threads(), "asyncio": asyncio.run(with_asyncio()), "sqlite": with_sqlite()}))
