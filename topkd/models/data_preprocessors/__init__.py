"""What happens to a batch between the data loader and the network."""

from topkd.models.data_preprocessors.image_batch_preprocessor import ImageBatchPreprocessor

__all__ = ['ImageBatchPreprocessor']
