"""One execution environment of a function: a Node process that speaks with LocalStack as its runtime in a container does."""

import os
import pathlib
import subprocess
import threading

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import ExecutorEndpoint
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.net import get_free_tcp_port

RUNTIME = pathlib.Path(__file__).with_name("runtime.mjs")
LOOPBACK = "127.0.0.1"
EXITED = b'{"errorType":"Runtime.ExitError","errorMessage":"The process of the function ended."}'


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id, function_version):
        super().__init__(id=id, function_version=function_version)
        self._environment = {}
        self._process = None
        self._endpoint = ExecutorEndpoint(id, container_address=LOOPBACK, container_port=get_free_tcp_port())
        name = function_version.id.function_name
        self._log = pathlib.Path(config.dirs.tmp) / f"{name}-{id}.log"

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass

    @classmethod
    def validate_environment(cls):
        return True

    def start(self, env_vars):
        self._environment = env_vars
        self._endpoint.start()
        code = str(self.function_version.config.code.get_unzipped_code_location())
        variables = {name: str(value) for name, value in env_vars.items()}
        variables.update(
            PATH=os.environ["PATH"],
            HOME=os.environ["HOME"],
            TZ="UTC",
            LAMBDA_TASK_ROOT=code,
            EXECUTOR_ID=str(self.id),
            EXECUTOR_PORT=str(self._endpoint.container_port),
        )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["node", str(RUNTIME)],
                cwd=code,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
        self._endpoint.wait_for_startup()

    def _watch(self, process):
        """A process that ends by itself takes its invocation along, as on Lambda."""
        process.wait()
        pending = self._endpoint.invocation_future
        if process is self._process and pending is not None and not pending.done():
            pending.set_result(InvocationResult("", EXITED, is_error=True, logs=""))

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._endpoint.shutdown()

    def invoke(self, payload):
        result = self._endpoint.invoke(payload)
        # Lambda throws an environment away that timed out or ended: the next invocation finds a new one.
        if result.is_error and (result.payload == EXITED or b"Task timed out" in result.payload):
            self._process.wait(10)
            self._endpoint.shutdown()
            self.start(self._environment)
        return result

    def get_logs(self):
        return self._log.read_text() if self._log.exists() else ""

    def get_address(self):
        return LOOPBACK

    def get_endpoint_from_executor(self):
        return LOOPBACK

    def get_runtime_endpoint(self):
        port = config.GATEWAY_LISTEN[0].port
        return f"http://{LOOPBACK}:{port}{self._endpoint.get_endpoint_prefix()}"
