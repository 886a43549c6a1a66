"""Functions of Node as processes of this machine: LocalStack itself starts containers, and here is no Docker."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class Plugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        from .executor import ProcessExecutor

        return ProcessExecutor
