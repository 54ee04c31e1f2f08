"""How people say each command, in English and Traditional Chinese, with slots in braces.

agent/conversation/understand.py matches them tolerantly, except for the commands that decide something: for those,
these are the only words that count (agent/conversation/strict.py).
"""

from __future__ import annotations


def _said(*lines: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for line in lines for phrase in line.split("|"))


PHRASES: dict[str, tuple[str, ...]] = {
    "improve": _said(
        "improve it | make it better",
        "improve {task} | improve my {task} task | make {task} better | start with {task} | work on {task}",
        "improve | start improving {task} | help {task} get better | raise the score of {task} | fix {task}",
        "改善{task} | 改善我的{task}任務 | 幫我改進{task} | 優化{task} | 提升{task} | 讓{task}變好",
        "讓{task}更好 | {task}可以更好嗎 | 開始改善 | 改善 | 從{task}開始",
    ),
    "create": _said(
        "create a new task | create a task | make a new task | new task | start a new task | create",
        "create a task called {words} | create a task named {words} | make a new task called {words}",
        "I have no task yet | I want to start without data",
        "建立新任務 | 建立任務 | 新增任務 | 建立一個新任務 | 開新任務 | 我還沒有任務",
        "建立一個叫{words}的任務 | 建立名為{words}的任務",
    ),
    "label": _said(
        "label rows | label rows of {task} | let me label rows | start labelling | go on labelling",
        "標記資料 | 標記資料列 | 開始標記 | 繼續標記 | 標註資料 | 標記{task}的資料",
    ),
    "split": _said(
        "split the rows | split the data | divide the rows | divide the data | split",
        "切分資料 | 分割資料 | 切分",
    ),
    "tasks": _said(
        "which tasks are there | list tasks | show tasks | what tasks are there",
        "有哪些任務 | 列出任務 | 看任務",
    ),
    "status": _said(
        "status | status of {task} | what is the status | how is {task} doing | how is it going | how are things",
        "where does {task} stand | how good is {task} | how far from the target | how far are we",
        "狀況 | {task}的狀況 | {task}現在表現如何 | 目前狀況如何 | 現在表現如何 | 表現怎麼樣 | 現在怎麼樣",
        "進度如何 | 離目標多遠 | 分數多少 | {task}的分數",
    ),
    "diagnose": _said(
        "what is wrong | what is wrong with {task} | diagnose | diagnose {task} | what are the problems",
        "what problems does {task} have | find the problems",
        "哪裡有問題 | 有什麼問題 | {task}有什麼問題 | {task}哪裡有問題 | 診斷 | 診斷{task} | 問題出在哪",
    ),
    "why": _said(
        "why is it low | why is the score low",
        "why is {label} low | why is class {label} so bad | why is {label} so weak | why does {label} score low",
        "what is wrong with {label} | explain {label} | explain why {label} is low | why {numbers}",
        "why propose {numbers} | explain {numbers} | what is {numbers} for | why | why {label}",
        "為什麼{label}這麼低 | {label}為什麼差 | {label}怎麼這麼差 | 為什麼{label}分數低 | {label}分數為什麼低",
        "為何{label}低 | {label}有什麼問題 | 為什麼提議{numbers} | 為什麼要{numbers} | 為什麼{numbers}",
        "說明{numbers} | 為什麼 | 為什麼這麼低 | 為什麼分數低",
    ),
    "errors": _said(
        "show errors | show errors {pair} | show {pair} | {pair} | errors {pair} | errors where {pair} | {pair} errors",
        "rows where {pair} | show the errors of {label} | errors of {label} | what does it get wrong",
        "which rows are wrong | show mistakes | show the mistakes in {label}",
        "看錯誤 | 顯示錯誤 | 顯示錯誤{pair} | 顯示{pair}的錯誤 | {pair}的錯誤 | 看{pair} | {pair}有哪些 | 哪些是{pair}",
        "看{label}的錯誤 | {label}的錯誤 | {label}錯在哪 | 哪些題答錯 | 答錯的資料 | 有哪些錯誤",
    ),
    "whatif": _said(
        "what would {change} do | what if {change} | what if we use {change} | what if we train for {change}",
        "would {change} help",
        "does {change} help | is {change} worth it | is {change} a good idea | should I try {change}",
        "what happens with {change} | what would happen with {change} | effect of {change} | how about {change}",
        "{change}會怎樣 | {change}會怎麼樣 | 如果{change}會如何 | 如果{change}會怎樣 | 如果把{change}會怎樣",
        "如果用{change}會怎樣 | 要是{change}呢 | {change}有用嗎 | {change}會有用嗎 | {change}會有效嗎",
        "{change}會有幫助嗎 | {change}值得嗎 | {change}的效果 | {change}好嗎 | 要不要{change} | 該不該{change}",
    ),
    "try": _said(
        "try {change} | set {change} | change {change} | use {change} | increase {change} | raise {change}",
        "lower {change} | reduce {change} | decrease {change} | make {change} | propose {change}",
        "train with {change} | {change}",
        "試試{change} | 試試看{change} | 試{change} | 把{change} | 將{change} | 改成{change} | 改用{change}",
        "使用{change} | 設定{change} | 換成{change} | 用{change}訓練",
    ),
    "proposals": _said(
        "proposals | what do you propose | show proposals | list proposals | what do you suggest | suggestions",
        "what should I do | what is next | what can be improved",
        "有什麼建議 | 有哪些建議 | 有哪些提案 | 列出提案 | 看提案 | 你建議什麼 | 接下來該做什麼 | 該怎麼改善",
    ),
    "approve": _said(
        "approve {numbers} | approve | approve it | approve this",
        "同意{numbers} | 核准{numbers} | 核准 | 同意",
    ),
    "edit": _said(
        "edit {numbers} | edit | edit it",
        "修改{numbers} | 編輯{numbers} | 修改 | 編輯",
    ),
    "quick": _said(
        "try it quickly first | try it quickly | try it first | quick check | check it quickly | run a quick check",
        "先快速試試 | 先快速試一下 | 先試試看 | 先試一下 | 快速檢查 | 先快速檢查 | 快速試驗 | 先跑小規模的",
    ),
    "reject": _said(
        "reject {numbers} | reject {numbers} because {reason} | reject {numbers} since {reason}",
        "reject {numbers}: {reason} | reject {numbers}, {reason} | reject | reject it | reject because {reason}",
        "拒絕{numbers} | 拒絕{numbers}因為{reason} | 拒絕{numbers},因為{reason} | 拒絕{numbers}:{reason}",
        "拒絕{numbers},{reason} | 拒絕 | 拒絕因為{reason}",
    ),
    "later": _said(
        "later | decide later | maybe later | put off | put off {numbers} | "
        "defer {numbers} | decide {numbers} later | {numbers} later",
        "稍後再說 | 之後再說 | 晚點再說 | 之後再決定 | 稍後決定 | "
        "先擱置 | 先擱置 {numbers} | {numbers}稍後決定 | {numbers}之後再說",
    ),
    "adopt": _said(
        "adopt {version} | use {version} from now on | adopt | adopt it",
        "採用{version} | 採用",
    ),
    "continue": _said(
        "continue from here | go on from this version | continue from this version",
        "從這版繼續 | 從這裡繼續",
    ),
    "rollback": _said(
        "roll back | rollback | roll back to {version} | rollback to {version} | undo | go back to {version}",
        "return to {version}",
        "回滾 | 回滾到{version} | 回到{version} | 退回{version} | 退回 | 復原",
    ),
    "compare": _said(
        "compare | compare {versions} | compare {version} with {version}",
        "how does {version} compare to {version} | is {version} better than {version} | is {version} better",
        "is it better | did it get better | difference between {version} and {version} | {version} or {version}",
        "比較 | 比較{versions} | {version}比較好嗎 | {version}比{version}好嗎 | {version}有比較好嗎",
        "{version}和{version}差在哪 | {version}有進步嗎 | 有比較好嗎 | 有進步嗎",
    ),
    "versions": _said(
        "versions | show versions | list versions | which versions are there | what have we tried | history",
        "show the history",
        "版本 | 有哪些版本 | 看版本 | 試過什麼 | 試過哪些 | 歷史紀錄",
    ),
    "predict": _said(
        "predict {text} | predict with {version} {text} | try the model on {text} | try {version} on {text}",
        "預測 {text} | 用{version}預測 {text} | 用模型預測 {text} | 用模型試試 {text} | 用{version}試試 {text}",
    ),
    "export": _said(
        "export | export it | export the model | export {version} | export as {form} | export {version} as {form}",
        "export to {folder} | export as {form} to {folder} | export {version} as {form} to {folder}",
        "匯出 | 匯出模型 | 匯出{version} | 匯出成{form} | 匯出{version}成{form} | 匯出到 {folder}",
        "匯出成{form}到 {folder} | 匯出{version}成{form}到 {folder}",
    ),
    "training": _said(
        "show training | watch the training | how is the training going | how far is the training",
        "training progress | is it still training",
        "看訓練 | 訓練進度 | 訓練到哪裡 | 訓練得如何 | 還在訓練嗎",
    ),
    "stop": _said(
        "stop the training | stop training | cancel the training",
        "停止訓練 | 取消訓練 | 中止訓練",
    ),
    "samples": _said(
        "review samples | review rows | review the data | show samples",
        "看樣本 | 審核資料 | 審核樣本 | 檢查資料",
    ),
    "refs": _said(
        "references | read about {page} | read {page} | tell me about {page} | what is {page} | what are {page}",
        "what does {page} mean | explain {page} | look up {page} | search for {page} | how does {page} work",
        "閱讀{page} | 說明{page} | 解釋{page} | 什麼是{page} | 何謂{page} | {page}是什麼 | {page}是什麼意思",
        "查{page} | 搜尋{page} | 讀{page} | 參考資料",
    ),
    "forecasts": _said(
        "how good were your forecasts | how accurate are your forecasts | were your predictions right",
        "forecasts",
        "預測準不準 | 預測準嗎 | 之前預測得如何 | 預測紀錄",
    ),
    "overnight": _said(
        "start overnight until {until} | start overnight | run overnight | run overnight until {until}",
        "overnight until {until} | overnight | run until {until} | keep going until {until} | work until {until}",
        "跑到{until} | 通宵跑到{until} | 今晚跑到{until} | 自動跑到{until} | 今晚自動跑到{until} | 通宵",
        "今晚自動跑 | 一直跑到{until}",
    ),
    "report": _said(
        "what happened last night | what happened in the night | what happened overnight | what did you do last night",
        "morning report | show the morning report | the morning report | how was the night | how did the night go",
        "show the report of the night | what was done overnight | report of last night | last night",
        "昨晚做了什麼 | 昨晚發生了什麼 | 昨天晚上做了什麼 | 昨夜做了什麼 | 昨晚如何 | 昨晚結果如何 | 昨晚跑得如何",
        "晨間報告 | 早上的報告 | 看晨間報告 | 昨晚的報告 | 通宵報告 | 通宵結果 | 看昨晚的報告",
    ),
    "sessions": _said(
        "resume a session | resume | earlier sessions | show sessions",
        "先前的工作階段 | 接續工作階段 | 列出工作階段",
    ),
    "model": _said(
        "who are you | who answers | which model answers | which model is this | what model are you",
        "are you a language model | how do I set up a model",
        "誰在回答 | 你是誰 | 你是什麼模型 | 現在用什麼模型 | 怎麼設定模型 | 你是語言模型嗎",
    ),
    "where": _said(
        "where are the files | where is my data | where is everything | where is the workspace",
        "where are the settings",
        "檔案在哪 | 檔案放在哪裡 | 資料在哪裡 | 設定檔在哪",
    ),
    "theme": _said(
        "change the theme | change the colours",
        "換主題 | 換顏色",
    ),
    "help": _said(
        "help | what can I say | what can I do | what can you do | how does this work | how do I use this",
        "commands",
        "說明 | 怎麼用 | 如何使用 | 可以說什麼 | 可以做什麼 | 有哪些指令 | 幫助 | 求助",
    ),
    "quit": _said(
        "quit | exit | bye | goodbye",
        "離開 | 結束 | 再見",
    ),
}
"""Name of a command to its phrases."""
