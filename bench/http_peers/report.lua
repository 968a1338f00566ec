-- The summary of a run of wrk as one line of JSON: times in microseconds, failures by what they were.
done = function(summary, latency, _)
    local errors = summary.errors
    print(string.format(
        '{"requests": %d, "bytes": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "connect": %d, "read": %d, '
            .. '"write": %d, "status": %d, "timeout": %d}',
        summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
