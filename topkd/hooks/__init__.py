"""What a distillation does beside its steps."""
from topkd.hooks.category_check_hook import CategoryCheckHook
from topkd.hooks.result_hook import ResultHook
from topkd.hooks.resumable_early_stopping_hook import ResumableEarlyStoppingHook
from topkd.hooks.student_checkpoint_hook import StudentCheckpointHook, student_path, student_state
from topkd.hooks.teacher_evaluation_hook import TeacherEvaluationHook

__all__ = [
    'CategoryCheckHook', 'ResultHook', 'ResumableEarlyStoppingHook', 'StudentCheckpointHook', 'TeacherEvaluationHook',
    'student_path', 'student_state'
]
