// A small session with one of everything: what the tests of reading and reporting read.
//
//     connection 1, child 4001: keep-alive, three exchanges; a JSON body, a gzip one, a binary one
//     connection 2, child 4002: died of SIGSEGV while it served exchange 4
//     connection 3, child 4003: exited 0 without its last word while it served exchange 5
//     connection 4, child 4004: lives, in the middle of exchange 6
//     connection 5, child 4005: unknown; carried nothing
//     connection 6, child 4006: nobody waited for it; exchange 7, a truncated body
//     connection 7, child 4007: a bad request, exchange 8, with two deviations; a zombie for 2.5 s
//     connection 8, child 4008: killed at its deadline while it served exchange 9

import GRDB
import Glibc
import LabSession

/// A folder that is gone when the test is over, with a session in it.
final class ReaderFixture {
    let folder: String
    var path: String { folder + "/session.db" }

    /// Makes the session.
    ///
    /// - Parameter change: SQL that is run on it last.
    /// - Throws: What the file system or SQLite has against it.
    init(_ change: String = "") throws {
        folder = "/tmp/lab-reader-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        mkdir(folder, 0o700)
        let file = try SessionFile.create(path)
        try file.queue.write { db in
            try db.execute(sql: Self.recording)
            try db.execute(sql: Self.children)
            try db.execute(sql: Self.bodies)
            try db.execute(sql: Self.exchanges)
            try db.execute(sql: Self.events)
            try db.execute(sql: Self.runs)
            if !change.isEmpty { try db.execute(sql: change) }
        }
        try file.queue.close()
    }

    /// Reads the session; the folder is there at least until then.
    func read<Value>(_ body: (SessionReader) throws -> Value) throws -> Value {
        try withExtendedLifetime(self) { try body(SessionReader(path)) }
    }

    /// Many more exchanges of one route, so that percentiles are known: 1 µs, 2 µs, … each.
    static func many(_ count: Int) -> String {
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
        INSERT INTO exchange (id, connection_id, child_pid, sequence, method, target, route, version,
            status, outcome, started_ns, head_ns, request_ns, response_started_ns,
            response_ended_ns, user_cpu_us, system_cpu_us, request_head, response_head)
        SELECT 100 + i, 1, 4001, 3 + i, 'GET', '/items/' || i, '/items/{id}', 'HTTP/1.1', 200, 'ok',
            2000000000, 2000000000, 2000000000, 2000000000 + i * 500, 2000000000 + i * 1000, i, 0,
            x'474554', x'32' FROM n;
        """
    }

    deinit { remove() }

    /// Removes the folder; `exit` runs no `deinit`.
    func remove() {
        for name in ["session.db", "session.db-wal", "session.db-shm"] {
            unlink("\(folder)/\(name)")
        }
        rmdir(folder)
    }

    private static let recording = """
        INSERT INTO recording VALUES (1, '2026-11-25T15:53:56.250Z', 1000000000, '127.0.0.1', 8888,
            'builtin', NULL, NULL, 'drain', 'lab record --port 8888', '0.1.0',
            '2026-11-25T15:54:02.250Z', 'SIGINT', NULL, NULL);
        INSERT INTO connection VALUES
            (1, 1, '127.0.0.1', 51001, 1008000000, 1010000000, 1100000000),
            (2, 1, '127.0.0.1', 51002, 1198000000, 1200000000, NULL),
            (3, 1, '127.0.0.1', 51003, 1300000000, 1300000000, NULL),
            (4, 1, '127.0.0.1', 51004, 1398000000, 1400000000, NULL),
            (5, 1, '::1', 51005, NULL, 1500000000, NULL),
            (6, 1, '127.0.0.1', 51006, 1598000000, 1600000000, 1620000000),
            (7, 1, '127.0.0.1', 51007, 1698000000, 1700000000, 1702000000),
            (8, 1, '127.0.0.1', 51008, 1798000000, 1800000000, NULL);
        """

    // connection, pid, ppid, fork started, forked, started, exiting, sigchld, reaped, status, code,
    // signal, core, user, system, max RSS, baseline, faults, switches, fate
    private static let children = """
        INSERT INTO child VALUES
            (1, 4001, 4000, 1010100000, 1010300000, 1010400000, 1101000000, 1101400000, 1101500000,
                0, 0, NULL, 0, 1500, 2500, 5120, 4096, 210, 0, 6, 1, 'exited'),
            (2, 4002, 4000, 1200100000, 1200300000, 1200400000, NULL, 1205000000, 1205100000,
                139, NULL, 11, 1, 900, 1100, 4608, 4096, 150, 0, 2, 0, 'signalled'),
            (3, 4003, 4000, 1300100000, 1300300000, 1300400000, NULL, 1303000000, 1303200000,
                0, 0, NULL, 0, 700, 900, 4608, 4096, 140, 0, 2, 0, 'exited'),
            (4, 4004, 4000, 1400100000, 1400300000, 1400400000, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4096, NULL, NULL, NULL, NULL, 'running'),
            (5, 4005, 4000, 1500100000, 1500300000, 1500400000, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4096, NULL, NULL, NULL, NULL, 'unknown'),
            (6, 4006, 4000, 1600100000, 1600300000, 1600400000, 1620100000, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4096, NULL, NULL, NULL, NULL, 'unreaped'),
            (7, 4007, 4000, 1700100000, 1700300000, 1700400000, 1702100000, 1702500000, 4202500000,
                0, 0, NULL, 0, 600, 800, 4608, 4096, 130, 0, 2, 0, 'exited'),
            (8, 4008, 4000, 1800100000, 1800300000, 1800400000, NULL, 6800500000, 6800600000,
                9, NULL, 9, 0, 4900000, 1000, 151552, 4096, 36900, 3, 2, 40, 'timed_out');
        """

    private static var bodies: String {
        """
        INSERT INTO body VALUES
            (1, \(digest(1)), 14, 0, '{"name":"lab"}'),
            (2, \(digest(2)), 13, 0, CAST('Hello, World!' AS BLOB)),
            (3, \(digest(3)), 24, 0, x'1f8b08000000000000ff4bcb0f0000000000abcdef01020304'),
            (4, \(digest(4)), 6, 0, x'0001027f80ff'),
            (5, \(digest(5)), 100000, 1, CAST(substr(replace(hex(zeroblob(2500)), '00',
                'abcdefg' || char(10)), 1, 5000) AS BLOB)),
            (6, \(digest(6)), 20, 0, CAST('evil ' || char(27) || '[31mred' || char(27)
                || '[0m' || char(10) || char(7) AS BLOB)),
            (7, \(digest(7)), 9, 0, CAST('different' AS BLOB));
        """
    }

    private static func digest(_ number: Int) -> String {
        "x'" + String(repeating: "a0", count: 31) + "0\(number)'"
    }

    private static func head(_ lines: String...) -> String {
        "CAST('" + lines.map { doubled($0) + "' || x'0d0a' || '" }.joined()
            + "' || x'0d0a' AS BLOB)"
    }

    private static func doubled(_ text: String) -> String {
        text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    }

    private static func environ(_ method: String, _ path: String, _ more: String = "") -> String {
        """
        '{"REQUEST_METHOD":"\(method)","SCRIPT_NAME":"","PATH_INFO":"\(path)","QUERY_STRING":"",\
        "SERVER_NAME":"127.0.0.1","SERVER_PORT":"8888","SERVER_PROTOCOL":"HTTP/1.1",\
        "REMOTE_ADDR":"127.0.0.1","REMOTE_PORT":"51001",\(more)"wsgi.version":[1,0],\
        "wsgi.multithread":false,"wsgi.multiprocess":true}'
        """
    }

    // id, connection, pid, sequence, method, target, route, version, request body, status, reason,
    // response body, outcome, error, started, head, request, connected, response started, ended,
    // user, system, request head, response head, environ
    private static var exchanges: String {
        let get = head(
            "GET /caf%C3%A9 HTTP/1.1",
            "Host: 127.0.0.1:8888",
            "User-Agent: curl/7.88.1",
            "Accept: */*"
        )
        let echo = head(
            "POST /echo HTTP/1.1",
            "Host: 127.0.0.1:8888",
            "Content-Type: application/json",
            "Content-Length: 14"
        )
        let ok = head("HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: 13")
        let gzip = head(
            "HTTP/1.1 200 OK",
            "Content-Type: text/html",
            "Content-Encoding: gzip",
            "Content-Length: 24"
        )
        let binary = head(
            "HTTP/1.1 200 OK",
            "Content-Type: application/octet-stream",
            "Content-Length: 6"
        )
        let crash = head("GET /crash/11 HTTP/1.1", "Host: 127.0.0.1:8888")
        let leave = head("GET /exit/0 HTTP/1.1", "Host: 127.0.0.1:8888")
        let sleep = head("GET /sleep/30 HTTP/1.1", "Host: 127.0.0.1:8888")
        let large = head("GET /bytes/100000 HTTP/1.1", "Host: 127.0.0.1:8888", "X-Note: \u{1b}[2J")
        let bad = "CAST('GET / HTTP/1.1' || x'0a' || 'Host : x' || x'0a0a' AS BLOB)"
        let refused = head(
            "HTTP/1.1 400 Bad Request",
            "Connection: close",
            "Content-Length: 20"
        )
        let spin = head("GET /spin/9000 HTTP/1.1", "Host: 127.0.0.1:8888")
        return """
            INSERT INTO exchange (id, connection_id, child_pid, sequence, method, target, route,
                version, request_body_id, status, reason, response_body_id, outcome, error,
                started_ns, head_ns, request_ns, upstream_connected_ns, response_started_ns,
                response_ended_ns, user_cpu_us, system_cpu_us, request_head, response_head, environ)
            VALUES
            (1, 1, 4001, 1, 'GET', '/caf%C3%A9', '/caf%C3%A9', 'HTTP/1.1', NULL, 200, 'OK', 2, 'ok',
                NULL, 1010500000, 1010600000, 1010600000, NULL, 1010900000, 1011000000, 100, 200,
                \(get), \(ok), \(environ("GET", "/caf\u{C3}\u{A9}", "\"HTTP_ACCEPT\":\"*/*\","))),
            (2, 1, 4001, 2, 'POST', '/echo', '/echo', 'HTTP/1.1', 1, 200, 'OK', 3, 'ok',
                NULL, 1050000000, 1050100000, 1050200000, 1050150000, 1050900000, 1051000000, 120,
                210, \(echo), \(gzip), \(environ("POST", "/echo"))),
            (3, 1, 4001, 3, 'PUT', '/blob?a=[1]', '/blob', 'HTTP/1.1', 4, 200, 'OK', 4, 'ok',
                NULL, 1099000000, 1099100000, 1099200000, NULL, 1099300000, 1099500000, 90, 110,
                \(head("PUT /blob?a=[1] HTTP/1.1", "Host: example.org", "Accept:", "X-It: it's",
                    "Content-Length: 6")), \(binary), \(environ("PUT", "/blob"))),
            (4, 2, 4002, 1, 'GET', '/crash/11', '/crash/{id}', 'HTTP/1.1', NULL, NULL, NULL, NULL,
                'child_died', 'child 4002 was ended by signal 11 while it served this request',
                1200500000, 1200600000, 1200600000, NULL, NULL, NULL, NULL, NULL, \(crash), NULL,
                \(environ("GET", "/crash/11"))),
            (5, 3, 4003, 1, 'GET', '/exit/0', '/exit/{id}', 'HTTP/1.1', NULL, NULL, NULL, NULL,
                'app_error', 'child 4003 exited with 0 before it had answered', 1300500000,
                1300600000, 1300600000, NULL, NULL, NULL, NULL, NULL, \(leave), NULL,
                \(environ("GET", "/exit/0"))),
            (6, 4, 4004, 1, 'GET', '/sleep/30', '/sleep/{id}', 'HTTP/1.1', NULL, NULL, NULL, NULL,
                NULL, NULL, 1400500000, 1400600000, 1400600000, NULL, NULL, NULL, NULL, NULL,
                \(sleep), NULL, \(environ("GET", "/sleep/30"))),
            (7, 6, 4006, 1, 'GET', '/bytes/100000', '/bytes/{id}', 'HTTP/1.1', NULL, 200, 'OK', 5,
                'ok', NULL, 1600500000, 1600600000, 1600600000, NULL, 1601000000, 1619000000, 400,
                600, \(large), \(ok), \(environ("GET", "/bytes/100000"))),
            (8, 7, 4007, 1, '', '', '', 'HTTP/1.1', NULL, 400, 'Bad Request', 6, 'bad_request',
                'the message has whitespace between a field name and its colon', 1700500000,
                1700600000, NULL, NULL, 1700700000, 1700800000, 50, 50, \(bad), \(refused), NULL),
            (9, 8, 4008, 1, 'GET', '/spin/9000', '/spin/{id}', 'HTTP/1.1', NULL, NULL, NULL, NULL,
                'child_died', 'child 4008 was ended by signal 9 while it served this request',
                1800500000, 1800600000, 1800600000, NULL, NULL, NULL, NULL, NULL, \(spin), NULL,
                \(environ("GET", "/spin/9000")));
            INSERT INTO deviation (exchange_id, code, section, offset) VALUES
                (8, 'bare-line-feed', 'RFC 9112 2.2', 14), (8, 'space-before-colon', 'RFC 9112 5.1', 19);
            """
    }

    private static let events = """
        INSERT INTO server_event VALUES
            (1, 1101400000, 'sigchld', NULL, '{"signals":1,"reaped":1}'),
            (1, 1205000000, 'sigchld', NULL, '{"signals":1,"reaped":1}'),
            (1, 1303000000, 'sigchld', NULL, '{"signals":2,"reaped":2}'),
            (1, 1303100000, 'orphan', 4999, '{"wait_status":0,"connection_id":2}'),
            (1, 4202000000, 'sigchld', NULL, '{"signals":1,"reaped":1}'),
            (1, 6800000000, 'killed', 4008, '{"why":"child timeout","connection_id":8}'),
            (1, 6800500000, 'sigchld', NULL, '{"signals":1,"reaped":1}'),
            (1, 6900000000, 'eintr', NULL, '{"call":"ppoll","count":3}'),
            (1, 6900000000, 'drain', NULL, '{"accepted":8,"forks":8,"fork_failed":0,"reaped":5}');
        """

    private static let runs = """
        INSERT INTO replay_run VALUES
            (1, 'before', '2026-11-25T16:00:00.000Z', 'http://127.0.0.1:9000', 10, 'asap', 1, '{}',
                '{"cores":2}', '2026-11-25T16:00:01.000Z', 'done', NULL),
            (2, 'after', '2026-11-25T16:05:00.000Z', 'http://127.0.0.1:9001', 100, 'asap', 1, '{}',
                '{"cores":2}', '2026-11-25T16:05:01.000Z', 'done', NULL);
        INSERT INTO replay_result (run_id, exchange_id, round, connection, intended_ns, sent_ns,
            first_byte_ns, done_ns, status, outcome, body_digest, body_id, matches, mismatch, head_id)
            VALUES
            (1, 1, 0, 1, 100000, 100000, 400000, 500000, 200, 'ok', NULL, NULL, 1, NULL, NULL),
            (1, 2, 0, 1, 500000, 500000, 800000, 900000, 200, 'ok', NULL, NULL, 1, NULL, NULL),
            (2, 1, 0, 1, 100000, 100000, 400000, 500000, 500, 'ok', NULL, NULL, 0, 'status', NULL),
            (2, 2, 0, 1, 500000, 500000, 800000, 900000, 200, 'ok', x'07', 7, 0, 'body', 1),
            (2, 3, 0, 1, 900000, 900000, NULL, 1000000, NULL, 'reset', NULL, NULL, 0, 'outcome', NULL);
        INSERT INTO replay_head VALUES (1, CAST('HTTP/1.1 200 OK' || x'0d0a' || 'Content-Type: text/html'
            || x'0d0a' || 'Content-Length: 9' || x'0d0a0d0a' AS BLOB));
        INSERT INTO histogram VALUES (1, 0, 'service', 400000, 2), (2, 0, 'service', 400000, 1200),
            (2, 1, 'service', 400000, 300), (2, 1, 'service', 2500000, 14), (2, 1, 'service', 9000000, 1);
        """
}
