def application(environ, start_response):
    with open("log", "a") as log:
        log.write("%s %s\n" % (environ["REQUEST_METHOD"], environ["RAW_URI"]))
    try:
        environ["wsgi.input"].read()
    except Exception:
        pass
    start_response("200 OK", [("Content-Length", "0")])
    return []
