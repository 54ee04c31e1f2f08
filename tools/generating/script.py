"""In which script a text is: the share of Chinese characters, and whether they are traditional or simplified.

The tables hold common characters that are written in only one of the two scripts; characters that both use (后, 里, 台, 干) say
nothing and are left out. They tell scripts apart, they convert nothing.
"""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")

_TABLE = """
们們 这這 为為 国國 对對 发發 说說 时時 会會 个個 来來 学學 点點 过過 还還 动動 现現 进進 样樣 给給
问問 经經 与與 长長 无無 开開 关關 头頭 从從 见見 车車 东東 书書 买買 卖賣 业業 两兩 严嚴 丰豐 临臨
丽麗 举舉 义義 乐樂 习習 乡鄉 争爭 亏虧 产產 亲親 亿億 仅僅 仓倉 价價 众眾 优優 传傳 伤傷 伦倫 伟偉
侧側 侦偵 债債 倾傾 储儲 儿兒 兰蘭 兴興 养養 兽獸 冈岡 军軍 农農 况況 冻凍 减減 凤鳳 凭憑 击擊 则則
刚剛 创創 别別 剂劑 剑劍 剧劇 劝勸 办辦 务務 励勵 劲勁 劳勞 势勢 医醫 华華 协協 单單 卢盧 卫衛 厅廳
历歷 压壓 厌厭 厕廁 县縣 参參 双雙 变變 叶葉 号號 叹嘆 吓嚇 吗嗎 听聽 启啟 员員 响響 哑啞 唤喚 啰囉
团團 园園 围圍 图圖 圆圓 圣聖 场場 坏壞 块塊 坚堅 坛壇 坝壩 坟墳 垒壘 垦墾 垫墊 处處 备備 夹夾 夺奪
奋奮 奖獎 妆妝 妇婦 妈媽 娱娛 婴嬰 孙孫 宁寧 宝寶 实實 审審 宪憲 宫宮 宽寬 宾賓 寝寢 将將 尔爾 尘塵
尝嘗 层層 属屬 岁歲 岂豈 岛島 峡峽 币幣 师師 帐帳 帜幟 带帶 帮幫 库庫 应應 庙廟 废廢 异異 弃棄 张張
弥彌 弯彎 弹彈 强強 归歸 录錄 彻徹 径徑 忆憶 忧憂 怀懷 态態 怜憐 总總 恋戀 恶惡 恼惱 悬懸 惊驚 惧懼
惩懲 惯慣 愤憤 愿願 懒懶 戏戲 战戰 户戶 扑撲 执執 扩擴 扫掃 扬揚 扰擾 抚撫 抢搶 护護 报報 担擔 拟擬
拥擁 择擇 挂掛 挥揮 挤擠 损損 换換 据據 摆擺 摄攝 撑撐 敌敵 数數 斗鬥 断斷 旧舊 显顯 晓曉 暂暫 术術
机機 杀殺 杂雜 权權 条條 极極 构構 枪槍 标標 栏欄 树樹 档檔 桥橋 检檢 楼樓 榄欖 欢歡 欧歐 残殘 毁毀
毕畢 气氣 汇匯 汉漢 汤湯 沟溝 没沒 沪滬 泽澤 洁潔 测測 济濟 浓濃 涂塗 润潤 涨漲 渐漸 渔漁 温溫 湾灣
湿濕 满滿 滚滾 滞滯 滨濱 灭滅 灯燈 灵靈 灾災 炉爐 烂爛 烦煩 烧燒 热熱 爱愛 爷爺 犹猶 狮獅 独獨 猎獵
环環 电電 画畫 畅暢 疗療 疯瘋 监監 盖蓋 盘盤 矿礦 码碼 确確 碍礙 礼禮 祸禍 离離 种種 积積 称稱 稳穩
穷窮 窃竊 竞競 笔筆 签簽 简簡 类類 粮糧 紧緊 纪紀 约約 级級 纯純 纲綱 纳納 纵縱 纷紛 纸紙 纹紋 线線
练練 组組 细細 织織 终終 绍紹 绑綁 结結 绕繞 绘繪 络絡 绝絕 统統 继繼 绩績 绪緒 续續 维維 综綜 绿綠
缓緩 编編 缘緣 缩縮 缴繳 网網 罗羅 罚罰 职職 联聯 聪聰 肃肅 肤膚 肿腫 胀脹 胁脅 胜勝 胶膠 脏臟 脑腦
脚腳 脸臉 舱艙 艺藝 节節 苏蘇 荐薦 荣榮 药藥 获獲 莱萊 萧蕭 蓝藍 虑慮 虽雖 蚀蝕 补補 装裝 观觀 规規
视視 览覽 觉覺 触觸 誉譽 计計 订訂 认認 讨討 让讓 训訓 议議 记記 讲講 许許 论論 设設 访訪 证證 评評
识識 诉訴 词詞 译譯 试試 诗詩 话話 诚誠 该該 详詳 语語 误誤 请請 诸諸 诺諾 读讀 课課 谁誰 调調 谈談
谊誼 谋謀 谓謂 谢謝 谣謠 谨謹 贝貝 负負 财財 责責 贤賢 败敗 货貨 质質 购購 贯貫 贴貼 贵貴 贷貸 贸貿
费費 贺賀 资資 赋賦 赌賭 赏賞 赔賠 赚賺 赛賽 赞贊 赶趕 趋趨 跃躍 践踐 踪蹤 轨軌 转轉 轮輪 软軟 轻輕
载載 较較 辅輔 辆輛 辈輩 输輸 辞辭 边邊 达達 迁遷 运運 违違 连連 迟遲 选選 递遞 遗遺 邮郵 邻鄰 郑鄭
释釋 钟鐘 钢鋼 钱錢 铁鐵 铜銅 银銀 链鏈 销銷 锁鎖 错錯 键鍵 镇鎮 镜鏡 门門 闪閃 闭閉 闲閒 间間 闹鬧
闻聞 阅閱 队隊 阳陽 阴陰 阵陣 阶階 际際 陆陸 陈陳 险險 随隨 隐隱 难難 雾霧 静靜 韩韓 页頁 顶頂 项項
顺順 须須 顾顧 顿頓 预預 领領 频頻 题題 颜顏 额額 风風 飞飛 饭飯 饮飲 饰飾 馆館 马馬 驾駕 验驗 骗騙
鱼魚 鲜鮮 鸟鳥 鸡雞 鸣鳴 麦麥 黄黃 龙龍
"""
_PAIRS = _TABLE.split()

SIMPLIFIED = frozenset(pair[0] for pair in _PAIRS)
TRADITIONAL = frozenset(pair[1] for pair in _PAIRS)


def chinese_share(text: str) -> float:
    """Chinese characters among all letters and digits; 0 for a text without any."""
    letters = sum(char.isalnum() for char in text)
    return len(_HAN.findall(text)) / letters if letters else 0.0


def simplified_in(text: str) -> list[str]:
    """The different characters of a text that only simplified Chinese writes, in order."""
    return list(dict.fromkeys(char for char in text if char in SIMPLIFIED))


def traditional_in(text: str) -> list[str]:
    """The different characters of a text that only traditional Chinese writes, in order."""
    return list(dict.fromkeys(char for char in text if char in TRADITIONAL))
