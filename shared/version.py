"""The version of the platform and of its API (https://semver.org): a breaking change raises the first number."""

VERSION = "1.0.0"
