// The tables of a session file. The names are a contract: other programs read them.
//
//     recording 1─* connection 1─1 child
//                        └──── 1─* exchange *─1 body (each distinct body once)
//                                     ├── 1─* deviation
//                                     └── 1─* replay_result *─1 replay_run 1─* histogram
//                                                     └── *─1 replay_head
//
// Instants are nanoseconds of CLOCK_MONOTONIC in columns that end in _ns; recording.started_at is the
// wall clock at recording.anchor_ns. Durations are not stored: the view `timing` derives them.

/// The format of session files.
public enum SessionFormat {
    /// `PRAGMA application_id`: "LABS".
    public static let applicationID: Int32 = 0x4C41_4253
    /// `PRAGMA user_version`: the newest format that this lab reads and the one it writes.
    public static let version: Int32 = 3

    static let schema = """
        CREATE TABLE recording (
            id INTEGER PRIMARY KEY,
            started_at TEXT NOT NULL,
            anchor_ns INTEGER NOT NULL,
            host TEXT NOT NULL,
            port INTEGER NOT NULL,
            mode TEXT NOT NULL,
            upstream TEXT,
            app TEXT,
            reap TEXT NOT NULL,
            command_line TEXT NOT NULL,
            lab_version TEXT NOT NULL,
            ended_at TEXT,
            end_reason TEXT,
            pseudonym TEXT,
            forwarded TEXT
        );
        CREATE TABLE connection (
            id INTEGER PRIMARY KEY,
            recording_id INTEGER NOT NULL REFERENCES recording,
            peer_address TEXT NOT NULL,
            peer_port INTEGER NOT NULL,
            arrived_ns INTEGER,
            accepted_ns INTEGER NOT NULL,
            closed_ns INTEGER
        );
        CREATE TABLE child (
            connection_id INTEGER PRIMARY KEY REFERENCES connection,
            pid INTEGER NOT NULL,
            ppid INTEGER NOT NULL,
            fork_started_ns INTEGER NOT NULL,
            forked_ns INTEGER,
            started_ns INTEGER,
            exiting_ns INTEGER,
            sigchld_ns INTEGER,
            reaped_ns INTEGER,
            wait_status INTEGER,
            exit_code INTEGER,
            term_signal INTEGER,
            core_dumped INTEGER,
            user_cpu_us INTEGER,
            system_cpu_us INTEGER,
            max_rss_kib INTEGER,
            baseline_rss_kib INTEGER,
            minor_faults INTEGER,
            major_faults INTEGER,
            voluntary_switches INTEGER,
            involuntary_switches INTEGER,
            fate TEXT NOT NULL
        );
        CREATE TABLE body (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL,
            size INTEGER NOT NULL,
            truncated INTEGER NOT NULL,
            bytes BLOB NOT NULL
        );
        CREATE INDEX body_digest ON body (digest);
        CREATE TABLE exchange (
            id INTEGER PRIMARY KEY,
            connection_id INTEGER NOT NULL REFERENCES connection,
            child_pid INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            method TEXT NOT NULL,
            target TEXT NOT NULL,
            route TEXT NOT NULL,
            version TEXT NOT NULL,
            request_body_id INTEGER REFERENCES body,
            status INTEGER,
            reason TEXT,
            response_body_id INTEGER REFERENCES body,
            outcome TEXT,
            error TEXT,
            started_ns INTEGER NOT NULL,
            head_ns INTEGER NOT NULL,
            request_ns INTEGER,
            upstream_connected_ns INTEGER,
            response_started_ns INTEGER,
            response_ended_ns INTEGER,
            user_cpu_us INTEGER,
            system_cpu_us INTEGER,
            request_head BLOB NOT NULL,
            response_head BLOB,
            environ TEXT,
            errors BLOB,
            errors_size INTEGER,
            request_trailers BLOB,
            response_trailers BLOB,
            refused_answer BLOB
        );
        CREATE INDEX exchange_connection ON exchange (connection_id, sequence);
        CREATE TABLE deviation (
            exchange_id INTEGER NOT NULL REFERENCES exchange,
            code TEXT NOT NULL,
            section TEXT NOT NULL,
            offset INTEGER NOT NULL,
            message TEXT NOT NULL DEFAULT 'request'
        );
        CREATE INDEX deviation_exchange ON deviation (exchange_id);
        CREATE TABLE server_event (
            recording_id INTEGER NOT NULL REFERENCES recording,
            at_ns INTEGER NOT NULL,
            kind TEXT NOT NULL,
            pid INTEGER,
            detail TEXT NOT NULL
        );
        CREATE TABLE replay_run (
            id INTEGER PRIMARY KEY,
            label TEXT,
            started_at TEXT NOT NULL,
            target TEXT NOT NULL,
            concurrency INTEGER NOT NULL,
            pacing TEXT NOT NULL,
            seed INTEGER,
            settings TEXT NOT NULL,
            host_facts TEXT NOT NULL,
            ended_at TEXT,
            end_reason TEXT,
            summary TEXT
        );
        CREATE TABLE replay_result (
            run_id INTEGER NOT NULL REFERENCES replay_run,
            exchange_id INTEGER NOT NULL REFERENCES exchange,
            round INTEGER NOT NULL,
            connection INTEGER NOT NULL,
            intended_ns INTEGER NOT NULL,
            sent_ns INTEGER,
            first_byte_ns INTEGER,
            done_ns INTEGER,
            status INTEGER,
            outcome TEXT NOT NULL,
            body_digest BLOB,
            body_id INTEGER REFERENCES body,
            matches INTEGER NOT NULL,
            mismatch TEXT,
            head_id INTEGER REFERENCES replay_head,
            warmup INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE replay_head (
            id INTEGER PRIMARY KEY,
            bytes BLOB NOT NULL
        );
        CREATE INDEX replay_result_run ON replay_result (run_id);
        CREATE TABLE histogram (
            run_id INTEGER NOT NULL REFERENCES replay_run,
            shard INTEGER NOT NULL,
            series TEXT NOT NULL,
            bucket INTEGER NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (run_id, shard, series, bucket)
        ) WITHOUT ROWID;

        CREATE VIEW timing AS
        SELECT e.id AS exchange_id, e.connection_id, e.sequence, e.child_pid AS child,
            e.method, e.target, e.route, e.status, e.outcome,
            (e.started_ns - r.anchor_ns) / 1e6 AS at_ms,
            CASE WHEN e.sequence = 1 THEN (n.accepted_ns - n.arrived_ns) / 1e6 END AS queue_ms,
            CASE WHEN e.sequence = 1 THEN (c.started_ns - n.accepted_ns) / 1e6 END AS fork_ms,
            (e.head_ns - e.started_ns) / 1e6 AS head_ms,
            (e.request_ns - e.head_ns) / 1e6 AS body_ms,
            (e.upstream_connected_ns - e.head_ns) / 1e6 AS connect_ms,
            (e.response_started_ns - e.head_ns) / 1e6 AS wait_ms,
            (e.response_ended_ns - e.response_started_ns) / 1e6 AS answer_ms,
            (e.response_ended_ns - e.started_ns) / 1e6 AS total_ms,
            (e.user_cpu_us + e.system_cpu_us) / 1e3 AS cpu_ms
        FROM exchange e
        LEFT JOIN connection n ON n.id = e.connection_id
        LEFT JOIN recording r ON r.id = n.recording_id
        LEFT JOIN child c ON c.connection_id = e.connection_id;

        CREATE VIEW environ AS
        SELECT e.id AS exchange_id, j.key AS name,
            CASE j.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE j.value END AS value
        FROM exchange e, json_each(e.environ) j;

        CREATE VIEW timeline AS
        SELECT (t.at_ns - r.anchor_ns) / 1e6 AS at_ms, t.event, t.pid, t.connection_id, t.detail,
            t.at_ns, t.recording_id
        FROM (
            SELECT n.recording_id, c.fork_started_ns AS at_ns, 1 AS place, 'fork' AS event, c.pid,
                c.connection_id, 'forked in '
                    || ifnull(round((c.forked_ns - c.fork_started_ns) / 1e6, 3), '?') || ' ms'
                    AS detail
            FROM child c JOIN connection n ON n.id = c.connection_id
            UNION ALL
            SELECT n.recording_id, c.exiting_ns, 2, 'exit', c.pid, c.connection_id,
                'its own last word'
            FROM child c JOIN connection n ON n.id = c.connection_id
            WHERE c.exiting_ns IS NOT NULL
            UNION ALL
            SELECT recording_id, at_ns, 3, kind, pid, NULL, detail FROM server_event
            UNION ALL
            SELECT n.recording_id, c.reaped_ns, 4, 'reap', c.pid, c.connection_id,
                CASE WHEN c.term_signal IS NOT NULL THEN 'signal ' || c.term_signal
                    ELSE 'exit code ' || c.exit_code END
            FROM child c JOIN connection n ON n.id = c.connection_id
            WHERE c.reaped_ns IS NOT NULL
        ) t LEFT JOIN recording r ON r.id = t.recording_id
        ORDER BY t.recording_id, t.at_ns, t.place;

        CREATE VIEW zombie AS
        SELECT c.pid AS child, c.connection_id,
            max(0, c.reaped_ns - c.sigchld_ns) / 1e6 AS at_least_ms,
            max(0, c.reaped_ns - c.exiting_ns) / 1e6 AS at_most_ms,
            c.fate, c.exit_code, c.term_signal
        FROM child c WHERE c.reaped_ns IS NOT NULL OR c.fate = 'unreaped';
        """
}
