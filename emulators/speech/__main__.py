"""`python -m emulators.speech --port 8125 --storage http://127.0.0.1:9023 --state DIR`"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulators.engines.control import Control
from emulators.engines.objects import Objects
from emulators.engines.operations import Operations
from emulators.engines.server import Handlers, arguments, run
from emulators.speech.batch import Batch
from emulators.speech.listening import Listener
from emulators.speech.recognizers import Recognizers
from emulators.speech.service import Speech
from emulators.speech.transcriber import Engine


def main() -> None:
    """Serve Speech-to-Text until told to stop."""
    flags = arguments("A local Speech-to-Text that really transcribes.", port=8125).parse_args()

    @asynccontextmanager
    async def engine(control: Control) -> AsyncIterator[Handlers]:
        ears, objects = Engine(), Objects(flags.storage)
        listener, recognizers = Listener(ears), Recognizers(flags.state / "recognizers.json")
        batch = Batch(control, listener, objects, recognizers)
        operations = Operations(flags.state / "operations", {"BatchRecognize": batch.run})
        await ears.warm_up()
        operations.open()
        try:
            yield [
                Speech(control, listener, objects, recognizers, operations).handler(),
                operations.handler(control),
            ]
        finally:
            await operations.close()
            ears.close()
            await objects.close()

    run(flags, engine)


if __name__ == "__main__":
    main()
