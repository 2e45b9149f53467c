"""The base of data sets that can say, without being built, whether their files are there."""

from typing import Any


class FilesOnDisk:
    """A data set that reads files, which can be looked for before anything is built."""

    @classmethod
    def check_files(cls, **arguments: Any) -> None:
        """Refuse a folder in which the data set would not find its files.

        Args:
            **arguments (Any): Those of the constructor.

        Raises:
            FileNotFoundError: If a folder or a file is missing.
            ValueError: If an argument or a folder's content is not what the data set reads.
        """
