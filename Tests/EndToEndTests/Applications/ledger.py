# Holds some 3 MB in small objects; each request changes every seventh and answers the sum of all.
accounts = [[number, str(number)] for number in range(12_000)]


def app(environ, start_response):
    for account in accounts[::7]:
        account[0] += 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % sum(number + int(text) for number, text in accounts)]
