"""What the local Document AI and the local Speech-to-Text have in common.

Errors in Google's shape (`errors`), gRPC methods (`rpc`), long-running operations that outlive the process
(`operations`), objects in the storage emulator (`objects`), the control door for tests (`control`) and the process
around them (`server`).
"""
