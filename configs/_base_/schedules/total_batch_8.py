# The paper's total batch of 8 on COCO, however many processes share it (1, 2, 4 or 8): batch_size is that of one.
import os

total_batch = 8
processes = int(os.environ.get('WORLD_SIZE', os.environ.get('SLURM_NTASKS', 1)))
if total_batch % processes:
    raise ValueError(f'a total batch of {total_batch} cannot be shared by {processes} processes: start 1, 2, 4 or 8')
batch_size = total_batch // processes
