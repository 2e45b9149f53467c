"""Detection data of other formats, turned into COCO's."""

from topkd.datasets.conversion.to_coco import FORMATS, convert_detection, recognized_format

__all__ = ['FORMATS', 'convert_detection', 'recognized_format']
