# The paper's total batch of 8 on COCO, however many processes share it (1, 2, 4 or 8): batch_size is that of one.
total_batch = 8
processes = int('{{$WORLD_SIZE:0}}') or int('{{$SLURM_NTASKS:1}}')
if total_batch % processes:
    raise ValueError(f'a total batch of {total_batch} cannot be shared by {processes} processes: start 1, 2, 4 or 8')
batch_size = total_batch // processes
