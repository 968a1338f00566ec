"""RQ does real work through the hub."""

from datetime import timedelta

import redis
from rq import Queue, Retry, SimpleWorker, Worker
from rq.job import Job
from rq.registry import FailedJobRegistry, ScheduledJobRegistry

from cases import URL, run
from rq_jobs import add, fail


def case_jobs():
    connection = redis.Redis.from_url(URL)
    connection.flushall()
    queue, high = Queue("default", connection=connection), Queue("high", connection=connection)
    first = queue.enqueue(add, 2, 3)
    after = queue.enqueue(add, 1, 1, depends_on=first)
    many = [queue.enqueue(add, n, n) for n in range(20)]
    urgent = high.enqueue(add, 9, 9)
    broken = queue.enqueue(fail, retry=Retry(max=2))
    later = queue.enqueue_in(timedelta(hours=1), add, 0, 0)
    worker = SimpleWorker([high, queue], connection=connection)
    assert worker.work(burst=True)
    assert first.return_value() == 5 and after.return_value() == 2 and urgent.return_value() == 18
    assert [job.return_value() for job in many] == [2 * n for n in range(20)]
    assert broken.id in FailedJobRegistry(queue=queue) and "ValueError" in broken.latest_result().exc_string
    assert later.id in ScheduledJobRegistry(queue=queue)
    assert Job.fetch(first.id, connection=connection).get_status() == "finished"
    assert queue.count == 0 and Worker.count(connection=connection) == 0
    later.cancel()


def case_a_worker_that_forks():
    connection = redis.Redis.from_url(URL)
    queue = Queue("forked", connection=connection)
    job = queue.enqueue(add, 20, 22)
    assert Worker([queue], connection=connection).work(burst=True)
    assert job.return_value(refresh=True) == 42


if __name__ == "__main__":
    run()
