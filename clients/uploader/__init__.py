"""The uploader of Alta: sends a folder of documents and recordings, and tells what was read.

    from clients.uploader import upload_folder

    result = upload_folder("letters", "Archive")
    print(result.status["stats"])

`upload_folder` is the whole job in one call; `Client`, `Order` and `upload` are the same for asynchronous code, and
`clients.uploader.events` is what an observer hears. Nothing here prints.
"""

from clients.uploader.api import Client
from clients.uploader.errors import UploaderError
from clients.uploader.folder import Order, Result, upload, upload_folder
from clients.uploader.journal import Journal

__all__ = ["Client", "Journal", "Order", "Result", "UploaderError", "upload", "upload_folder"]
