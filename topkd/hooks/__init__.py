"""MMEngine hooks of a distillation: checks, checkpoints, results and pictures."""

from topkd.hooks.category_check_hook import CategoryCheckHook
from topkd.hooks.cloud_record_hook import CloudRecordHook
from topkd.hooks.cohort_hook import CohortHook
from topkd.hooks.cuda_graph_hook import CudaGraphHook
from topkd.hooks.distpro_search_hook import DistProSearchHook
from topkd.hooks.final_test_hook import FinalTestHook
from topkd.hooks.member_curves_hook import MemberCurvesHook
from topkd.hooks.memory_format_hook import MemoryFormatHook
from topkd.hooks.mlflow_vis_backend import MLflowVisBackend
from topkd.hooks.progress_line_hook import ProgressLineHook
from topkd.hooks.result_hook import ResultHook
from topkd.hooks.resumable_checkpoint_hook import ResumableCheckpointHook
from topkd.hooks.resumable_early_stopping_hook import ResumableEarlyStoppingHook
from topkd.hooks.resumed_validation_hook import ResumedValidationHook
from topkd.hooks.same_buffers_hook import SameBuffersHook
from topkd.hooks.step_seed_hook import StepSeedHook
from topkd.hooks.student_checkpoint_hook import StudentCheckpointHook
from topkd.hooks.teacher_evaluation_hook import TeacherEvaluationHook
from topkd.hooks.topology_visualization_hook import TopologyVisualizationHook
from topkd.hooks.training_check_hook import TrainingCheckHook
from topkd.hooks.training_set_hook import TrainingSetHook
from topkd.hooks.training_state_hook import TrainingStateHook
from topkd.hooks.yolox_switch_hook import YOLOXSwitchHook

__all__ = [
    'CategoryCheckHook',
    'CloudRecordHook',
    'CohortHook',
    'CudaGraphHook',
    'DistProSearchHook',
    'FinalTestHook',
    'MemberCurvesHook',
    'MLflowVisBackend',
    'MemoryFormatHook',
    'ProgressLineHook',
    'ResultHook',
    'ResumableCheckpointHook',
    'ResumableEarlyStoppingHook',
    'ResumedValidationHook',
    'SameBuffersHook',
    'StepSeedHook',
    'StudentCheckpointHook',
    'TeacherEvaluationHook',
    'TopologyVisualizationHook',
    'TrainingCheckHook',
    'TrainingSetHook',
    'TrainingStateHook',
    'YOLOXSwitchHook',
]
