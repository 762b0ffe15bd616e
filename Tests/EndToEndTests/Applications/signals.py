# An application with handlers of its own: which signals reach it, and which the processes that it starts.
import json
import os
import signal
import subprocess

caught = []


def catch(number, frame):
    caught.append(signal.Signals(number).name)


signal.signal(signal.SIGTERM, catch)
signal.signal(signal.SIGCHLD, catch)
signal.signal(signal.SIGUSR1, catch)


def send_itself(numbers):
    for number in numbers:
        os.kill(os.getpid(), number)
    return caught


def end_a_program():
    program = subprocess.Popen(["sleep", "1000"])
    program.terminate()
    return program.wait(30)


def end_a_fork():
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        caught.clear()
        os.write(writes, b"!")
        while not caught:
            signal.pause()
        os._exit(7)
    os.read(reads, 1)
    os.kill(pid, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def app(environ, start_response):
    told = {
        "/own": lambda: send_itself([signal.SIGUSR1, signal.SIGTERM]),
        "/program": end_a_program,
        "/fork": end_a_fork,
    }[environ["PATH_INFO"]]()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
