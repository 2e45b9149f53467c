"""Detection data of other formats, turned into COCO's."""

from topkd.datasets.conversion.convert import FORMATS, convert_detection, recognized_format

__all__ = ['FORMATS', 'convert_detection', 'recognized_format']
