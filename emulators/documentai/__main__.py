"""`python -m emulators.documentai --port 8124 --storage http://127.0.0.1:9023 --state DIR`"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulators.documentai.batch import Batch
from emulators.documentai.reader import Reader
from emulators.documentai.service import DocumentProcessor
from emulators.engines.control import Control
from emulators.engines.objects import Objects
from emulators.engines.operations import Operations
from emulators.engines.server import Handlers, arguments, run


def main() -> None:
    """Serve Document AI until told to stop."""
    flags = arguments("A local Document AI that really reads.", port=8124).parse_args()

    @asynccontextmanager
    async def engine(control: Control) -> AsyncIterator[Handlers]:
        reader, objects = Reader(), Objects(flags.storage)
        batch = Batch(control, reader, objects)
        operations = Operations(flags.state / "operations", {"BatchProcessDocuments": batch.run})
        await reader.warm_up()
        operations.open()
        try:
            yield [
                DocumentProcessor(control, reader, objects, operations).handler(),
                operations.handler(control),
            ]
        finally:
            await operations.close()
            reader.close()
            await objects.close()

    run(flags, engine)


if __name__ == "__main__":
    main()
